/** Escape sequences for colours, or none. */
export interface Paint {
  readonly added: (text: string) => string;
  readonly changed: (text: string) => string;
  readonly removed: (text: string) => string;
  readonly quiet: (text: string) => string;
  readonly strong: (text: string) => string;
  readonly accent: (text: string) => string;
  /** The line with the cursor: reversed also where there are no colours. */
  readonly chosen: (text: string) => string;
}

/** Without colours only what the cursor stands on is set apart, and signs tell the rest. */
export function createPaint({ colours }: { readonly colours: boolean }): Paint {
  const style = (open: number, close: number) => (text: string) =>
    colours ? `\u001b[${open}m${text}\u001b[${close}m` : text;
  return {
    added: style(32, 39),
    changed: style(33, 39),
    removed: style(31, 39),
    quiet: style(2, 22),
    strong: style(1, 22),
    accent: style(36, 39),
    chosen: (text) => `\u001b[7m${text}\u001b[27m`,
  };
}
