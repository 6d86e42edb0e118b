/** A Dockerfile that shows one feature, built by us and by buildah. */
export interface DockerfileCase {
  readonly name: string;
  readonly dockerfile: string;
  /** A script of the shell that makes the context, in its directory. */
  readonly context?: string;
  /** For both builders. */
  readonly flags?: readonly string[];
  /** Where buildah 1.28 does not know the feature: what it says, or what becomes of it. */
  readonly unknown?: string;
  /** Where both know it and do not agree: what differs, and why ours is right. */
  readonly differs?: { readonly what: readonly string[]; readonly why: string };
  /** What our image has, as `type mode owner content`; the part of it that is to be seen. */
  readonly expect?: Readonly<Record<string, string>>;
  /** Part of every run of the tests. */
  readonly quick?: boolean;
}

/** The lines of a Dockerfile. */
export function lines(...all: readonly string[]): string {
  return `${all.join('\n')}\n`;
}
