import { randomInt } from 'node:crypto';
import { usageError } from '../errors.ts';

const qualities =
  'amber brisk calm clever cosy eager fair fresh gentle glad golden hardy jolly keen kind light lively lucky mellow merry mild neat nimble noble placid plain proud quick quiet ready rustic silent silver steady sunny swift tidy vivid warm witty';
const things =
  'acorn anchor arch aspen beacon birch bridge brook cedar clover comet coral cove dune ember falcon fern fjord glacier grove harbor hazel heron island lantern lark maple meadow mill orchard otter pebble pine quarry raven reef river robin spruce willow';

/** A name that is easy to type, for a container that was given none. */
export function randomName(): string {
  return `${pick(qualities)}_${pick(things)}_${randomInt(10, 100)}`;
}

function pick(words: string): string {
  const list = words.split(' ');
  return list[randomInt(list.length)] ?? 'container';
}

/** Checks a name that was typed against Docker's grammar. Throws ERR_OCI_USAGE. */
export function checkedName(name: string): string {
  if (/^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}$/.test(name)) return name;
  throw usageError(
    `--name ${JSON.stringify(name)} is not a container name`,
    'letters, digits, and after the first also _ . -',
  );
}
