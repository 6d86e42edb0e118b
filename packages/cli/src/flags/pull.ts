import { Flags } from '@oclif/core';
import { pullPolicies } from '../images.ts';

/** `--pull`, wherever an image that is not in the store may be fetched. */
export const pullFlags = {
  pull: Flags.string({
    options: [...pullPolicies],
    default: 'missing',
    summary: 'When to ask the registry',
  }),
};
