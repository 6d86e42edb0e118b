import { Flags } from '@oclif/core';

/** Where the password of a private key comes from. */
export const keyPasswordFlags = {
  'key-password-file': Flags.string({
    helpValue: 'FILE',
    summary: "The key's password; else $COSIGN_PASSWORD, else it is asked for",
  }),
};
