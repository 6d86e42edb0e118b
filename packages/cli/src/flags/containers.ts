import { Args } from '@oclif/core';

/** One container that is there. */
export const containerArgument = {
  container: Args.string({
    required: true,
    ignoreStdin: true,
    description: 'Name, id or beginning of an id',
  }),
};

/** One or more containers that are there; the command's `argv` has them all. */
export const containersArgument = {
  container: Args.string({
    required: true,
    ignoreStdin: true,
    description: 'Names, ids or beginnings of ids',
  }),
};
