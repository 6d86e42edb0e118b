import { Flags } from '@oclif/core';
import { platformsFlags } from '../flags/platform.ts';
import { pullFlags } from '../flags/pull.ts';
import { registryFlags } from '../flags/registry.ts';
import { calls } from './call.ts';

/** The flags of `oci build`: those of `docker build`, as far as they mean something without a daemon. */
export const buildFlags = {
  file: Flags.string({
    char: 'f',
    helpValue: 'FILE',
    summary: 'Dockerfile (default: that of the context), in the context where that is remote; - is stdin',
  }),
  tag: Flags.string({
    char: 't',
    multiple: true,
    multipleNonGreedy: true,
    helpValue: 'NAME',
    summary: 'Name of the image',
  }),
  node: Flags.boolean({
    default: false,
    summary: 'Build a Node project from its package.json and lock file, without a Dockerfile',
    exclusive: [
      'file',
      'target',
      'build-arg',
      'build-context',
      'secret',
      'ssh',
      'allow',
      'debug-shell',
      'call',
      'check',
    ],
  }),
  base: Flags.string({
    helpValue: 'IMAGE',
    summary:
      'With --node: the image below (default: node:MAJOR-slim, of the version that the project asks for)',
  }),
  entrypoint: Flags.string({
    helpValue: 'WORDS',
    summary:
      'With --node: what containers start, as JSON or for the shell (default: what package.json starts)',
  }),
  cmd: Flags.string({
    helpValue: 'WORDS',
    summary: 'With --node: arguments that containers may be given instead, as JSON',
  }),
  target: Flags.string({ helpValue: 'STAGE', summary: 'Stage to build (default: the last one)' }),
  'build-arg': Flags.string({
    multiple: true,
    multipleNonGreedy: true,
    helpValue: 'NAME[=VALUE]',
    summary: "Value of an ARG; without one, the environment's",
  }),
  'build-context': Flags.string({
    multiple: true,
    multipleNonGreedy: true,
    helpValue: 'NAME=WHERE',
    summary:
      'Further context, for FROM and --from: directory, git repository, archive, docker-image://NAME, oci-layout://DIR',
  }),
  label: Flags.string({
    multiple: true,
    multipleNonGreedy: true,
    helpValue: 'NAME=VALUE',
    summary: 'Label of the image',
  }),
  annotation: Flags.string({
    multiple: true,
    multipleNonGreedy: true,
    helpValue: '[TARGET:]NAME=VALUE',
    summary: 'Annotation of the manifest, or of TARGET: index, manifest-descriptor, manifest[PLATFORM]',
  }),
  secret: Flags.string({
    multiple: true,
    multipleNonGreedy: true,
    helpValue: 'id=NAME,src=FILE',
    summary: 'Secret for RUN --mount=type=secret',
  }),
  network: Flags.string({ options: ['host', 'none'], default: 'host', summary: 'Network of RUN' }),
  allow: Flags.string({
    multiple: true,
    multipleNonGreedy: true,
    helpValue: 'RIGHT',
    summary: 'Right that the Dockerfile may use: security.insecure, network.host',
  }),
  'debug-shell': Flags.boolean({ default: false, summary: 'Open a shell where a step fails' }),
  output: Flags.string({
    char: 'o',
    multiple: true,
    multipleNonGreedy: true,
    helpValue: 'DIR|type=TYPE,dest=PATH',
    summary:
      'Also write local (files), tar, oci, docker (archives) or oci-layout; image, registry (push) or cacheonly',
  }),
  push: Flags.boolean({ default: false, summary: 'Push the image under its names' }),
  load: Flags.boolean({ default: false, summary: 'Keep the image in the store, as is always done' }),
  squash: Flags.boolean({ default: false, summary: 'Make one layer of all that is added to the base' }),
  attest: Flags.string({
    multiple: true,
    multipleNonGreedy: true,
    helpValue: 'type=TYPE,…',
    summary: 'Statement that refers to the image: provenance (mode=min|max, builder-id=URL) or sbom',
  }),
  provenance: Flags.string({ helpValue: 'true|mode=MODE', summary: 'Short for --attest type=provenance' }),
  sbom: Flags.string({ helpValue: 'true|false', summary: 'Short for --attest type=sbom' }),
  lock: Flags.boolean({
    default: false,
    summary: 'Write what FROM and ADD were by digest to the lock file',
    exclusive: ['locked'],
  }),
  locked: Flags.boolean({
    default: false,
    summary: 'Fail when FROM or ADD is not what the lock file says',
  }),
  'lock-file': Flags.string({ helpValue: 'FILE', summary: 'Lock file (default: oci.lock of the context)' }),
  'cache-from': Flags.string({
    multiple: true,
    multipleNonGreedy: true,
    helpValue: 'NAME|type=TYPE,…',
    summary: 'Cache of another machine: type=registry,ref=NAME or type=local,src=DIR',
  }),
  'cache-to': Flags.string({
    multiple: true,
    multipleNonGreedy: true,
    helpValue: 'NAME|type=TYPE,…',
    summary:
      'Write a cache for other machines: registry (ref=), local (dest=), inline; mode=min|max, mounts=true, compression=gzip|zstd|uncompressed',
  }),
  'no-cache': Flags.boolean({ default: false, summary: 'Run every step' }),
  ssh: Flags.string({
    multiple: true,
    multipleNonGreedy: true,
    helpValue: 'default|ID=SOCKET',
    summary: 'Agent for RUN --mount=type=ssh',
  }),
  call: Flags.string({
    options: [...calls],
    summary: 'Look at the Dockerfile instead of building it',
    exclusive: ['check'],
  }),
  check: Flags.boolean({
    default: false,
    summary: 'Look for mistakes in the Dockerfile; the same as --call check',
  }),
  iidfile: Flags.string({ helpValue: 'FILE', summary: "Write the image's digest to a file" }),
  'metadata-file': Flags.string({ helpValue: 'FILE', summary: 'Write what was built to a file, as JSON' }),
  ...pullFlags,
  ...platformsFlags,
  ...registryFlags,
};
