import assert from 'node:assert/strict';
import { test } from 'node:test';
import { networkFindings } from './network.ts';

const bridge = {
  mode: 'bridge',
  found: [],
  reason: 'iptables is missing',
  hint: 'Install the package iptables.',
} as const;
const pasta = { mode: 'pasta', found: ['/usr/bin/pasta'] } as const;
const slirp = {
  mode: 'slirp4netns',
  found: [],
  reason: 'slirp4netns is not installed',
  hint: 'Install it.',
} as const;

test('an ordinary user is told of pasta and slirp4netns, root of the bridge', () => {
  assert.deepEqual(networkFindings([bridge, pasta, slirp], { isRoot: false }), [
    { name: 'network pasta', verdict: 'ok', found: '/usr/bin/pasta' },
    {
      name: 'network slirp4netns',
      verdict: 'limited',
      found: 'slirp4netns is not installed',
      remedy: 'Install it.',
    },
  ]);
  const [first] = networkFindings([bridge, pasta, slirp], { isRoot: true });
  assert.deepEqual(first, {
    name: 'network bridge',
    verdict: 'missing',
    found: 'iptables is missing',
    remedy: 'Install the package iptables.',
  });
});
