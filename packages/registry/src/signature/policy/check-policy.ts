import { type Digest, formatReference, type Platform, parseReference, type Reference } from '@ocijs/image';
import { fromSources, type PullSource, sourceSession } from '../../config/sources.ts';
import { chooseOne, walkGraph } from '../../graph.ts';
import type { RegistryOptions } from '../../options.ts';
import { fetchDescribed, resolve } from '../../resolve.ts';
import { type PullPolicy, pullPolicy } from './pull-policy.ts';

/** Options of {@link checkPolicy}. */
export interface CheckPolicyOptions extends RegistryOptions {
  /** Which image of an index; default: the host's. */
  readonly platform?: Platform | undefined;
}

/** An image that the policy lets in. */
export interface PolicyReport {
  readonly reference: string;
  /** Use this from now on: the tag may move. */
  readonly digest: Digest;
  /** The policy's file; undefined when there is none, so that anything is let in. */
  readonly policy: string | undefined;
  /** What the policy asks of this image, such as `sigstoreSigned`. */
  readonly requirements: readonly string[];
}

/**
 * Checks an image in a registry against the signature policy as a pull would, and fetches nothing but its manifests.
 * Throws ERR_OCI_SIGNATURE_REJECTED and what else {@link pull} throws.
 */
export async function checkPolicy(
  name: string | Reference,
  options: CheckPolicyOptions = {},
): Promise<PolicyReport> {
  options.signal?.throwIfAborted();
  const reference = typeof name === 'string' ? parseReference(name) : name;
  const policy = await pullPolicy(reference, options);
  return fromSources(reference, options, (source) =>
    checkAt(source, { ...options, reference, admission: policy }),
  );
}

async function checkAt(
  source: PullSource,
  options: CheckPolicyOptions & { readonly reference: Reference; readonly admission: PullPolicy },
): Promise<PolicyReport> {
  const { reference, admission, platform, signal } = options;
  const { repository } = source.reference;
  await using session = sourceSession(source);
  const { descriptor } = await resolve(session, { reference: source.reference, signal });
  const graph = await walkGraph(descriptor, {
    load: (each) => fetchDescribed(session, { repository, descriptor: each, signal }),
    choose: chooseOne(platform),
  });
  const { digest } = descriptor;
  const manifests = graph.manifests.map((node) => node.descriptor.digest);
  await admission.admit(session, { repository, digest, manifests, signal });
  const { path, requirements } = admission;
  return { reference: formatReference(reference), digest, policy: path, requirements };
}
