import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { isOciError } from '@ocijs/image';
import { checkPolicy } from '../../index.ts';
import { missingGpgAgent } from '../gpg/gpg.testkit.ts';
import { type SignedByScene, signedByScene } from './signed-by.testkit.ts';

/** One state of the world, and whether an image is let in then: by us, and by skopeo. */
export interface PolicyCase {
  readonly what: string;
  /** Undefined: it is let in. */
  readonly refused?: RegExp;
  /** Default ERR_OCI_SIGNATURE_REJECTED. */
  readonly code?: string;
  readonly arrange: (at: SignedByScene) => Promise<unknown>;
  /** Default: the image by its tag. */
  readonly name?: (at: SignedByScene) => string;
  /** Why skopeo is not asked, or is of another opinion. */
  readonly notSkopeo?: string;
}

/** Tests groups of cases; skopeo, where it is installed, must be of the same opinion in each. */
export function testPolicyCases(groups: readonly (readonly [string, readonly PolicyCase[]])[]): void {
  describe('an image under a policy of signedBy', { skip: missingGpgAgent }, () => {
    let at: SignedByScene;
    before(async () => {
      at = await signedByScene();
    });
    after(() => at[Symbol.asyncDispose]());

    for (const [group, cases] of groups) {
      for (const each of cases) {
        const end = each.refused === undefined ? 'is let in' : 'is refused';
        test(`${group} ${each.what} ${end}`, async (context) => {
          await at.reset();
          await each.arrange(at);
          await checkOurs(at, each);
          const reason = at.withoutSkopeo || each.notSkopeo;
          if (typeof reason === 'string') return context.diagnostic(`skopeo was not asked: ${reason}`);
          const { accepted, said } = await at.skopeo(wantedName(at, each));
          assert.equal(accepted, each.refused === undefined, `skopeo is of another opinion: ${said}`);
        });
      }
    }
  });
}

const wantedName = (at: SignedByScene, { name }: PolicyCase): string => name?.(at) ?? at.name;

async function checkOurs(at: SignedByScene, each: PolicyCase): Promise<void> {
  const { refused, code = 'ERR_OCI_SIGNATURE_REJECTED' } = each;
  const outcome = await checkPolicy(wantedName(at, each), at.options).catch((error: unknown) => error);
  if (refused === undefined) {
    if (outcome instanceof Error) throw outcome;
    return;
  }
  assert.ok(isOciError(outcome), 'it was let in, or failed otherwise');
  assert.match(outcome.message, refused);
  assert.equal(outcome.code, code);
}
