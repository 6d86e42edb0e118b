import type { ExecutionConfig, ImageConfig } from '@ocijs/image';

/** What a person asked to be different from what the image says. */
export interface ImageOverrides {
  /** The words after the image name; replace `Cmd` when there are any. */
  readonly command: readonly string[];
  /** Replaces `Entrypoint`, and drops `Cmd`; an empty text means no entrypoint. */
  readonly entrypoint?: string | undefined;
  readonly environment: readonly string[];
  readonly workdir?: string | undefined;
}

/** The image's configuration with Docker's rules for what was typed; the input stays as it is. */
export function overrideConfig(image: ImageConfig, overrides: ImageOverrides): ImageConfig {
  const { Entrypoint, Cmd, ...rest } = image.config ?? {};
  const { command, entrypoint, environment, workdir } = overrides;
  const config: ExecutionConfig = {
    ...rest,
    ...(entrypoint === undefined
      ? Entrypoint && { Entrypoint }
      : entrypoint !== '' && { Entrypoint: [entrypoint] }),
    ...(command.length > 0 ? { Cmd: command } : entrypoint === undefined && Cmd && { Cmd }),
    Env: [...(rest.Env ?? []), ...environment],
    ...(workdir === undefined ? {} : { WorkingDir: workdir }),
  };
  return { ...image, config };
}
