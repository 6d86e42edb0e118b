import { type Descriptor, ImageError } from '@ocijs/image';
import { limits } from './limits.ts';

/** A config is read into memory later; one beyond the limit is refused before it is fetched. */
export function checkConfigSize({ digest, size }: Descriptor): void {
  if (size <= limits.configBytes) return;
  throw new ImageError(
    'ERR_OCI_LIMIT_EXCEEDED',
    `image config ${digest} is larger than ${limits.configBytes} bytes`,
    {
      limit: limits.configBytes,
      actual: size,
      digest,
    },
  );
}
