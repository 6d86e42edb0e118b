import { OciError } from '@ocijs/image/errors';

/** Every code that `@ocijs/build` throws. */
export type BuildErrorCode = 'ERR_OCI_DOCKERFILE_INVALID' | 'ERR_OCI_IGNORE_PATTERN_INVALID';

/** An error of `@ocijs/build`. */
export class BuildError extends OciError<BuildErrorCode> {}
