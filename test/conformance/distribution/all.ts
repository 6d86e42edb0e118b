import type { Requirement } from './requirement.ts';
import { discovery } from './requirements/discovery.ts';
import { errors } from './requirements/errors.ts';
import { management } from './requirements/management.ts';
import { pull } from './requirements/pull.ts';
import { pushBlobs } from './requirements/push-blobs.ts';
import { pushChunks } from './requirements/push-chunks.ts';
import { pushManifests } from './requirements/push-manifests.ts';
import { referrers } from './requirements/referrers.ts';

/** Every requirement; the one about warnings, which looks at all answers, comes last. */
export const requirements: readonly Requirement[] = [
  ...discovery,
  ...pull,
  ...pushBlobs,
  ...pushChunks,
  ...pushManifests,
  ...referrers,
  ...management,
  ...errors,
];
