import type { Transform } from 'node:stream';

/** An engine of `node:zlib`. */
export interface Engine extends Transform {
  /** Bytes of the input that the engine has used so far. */
  readonly bytesWritten: number;
}

/** Where the bytes come from, and who gets those that the engine leaves. */
export interface PumpOptions {
  readonly source: AsyncIterable<Uint8Array>;
  /** Called with every piece of input behind the engine's own end, in no particular order. May throw. */
  readonly onRest?: ((rest: Uint8Array) => void) | undefined;
}

/**
 * Feeds a source to an engine and yields what the engine makes of it; both run at once, with back pressure.
 * The source and the engine are closed on every path.
 */
export async function* pump(engine: Engine, options: PumpOptions): AsyncGenerator<Buffer, void, undefined> {
  let failure: { readonly error: unknown } | undefined;
  const feeding = feed(engine, options).catch((error: unknown) => {
    failure = { error };
    engine.destroy();
  });
  try {
    yield* engine;
  } catch (error) {
    failure ??= { error };
  } finally {
    engine.destroy();
    await feeding;
  }
  if (failure !== undefined) throw failure.error;
}

async function feed(engine: Engine, { source, onRest }: PumpOptions): Promise<void> {
  const offered: { readonly chunk: Uint8Array; readonly start: number }[] = [];
  let position = 0;
  for await (const chunk of source) {
    if (engine.readableEnded) {
      onRest?.(chunk);
      continue;
    }
    if (engine.destroyed) return;
    offered.push({ chunk, start: position });
    position += chunk.length;
    if (!engine.write(chunk)) await room(engine);
    while (isUsed(offered[0], engine.bytesWritten)) offered.shift();
  }
  if (!engine.readableEnded) await finished(engine);
  if (!engine.readableEnded) return;
  for (const { chunk, start } of offered) {
    const used = Math.max(engine.bytesWritten - start, 0);
    if (used < chunk.length) onRest?.(chunk.subarray(used));
  }
}

function isUsed(
  first: { readonly chunk: Uint8Array; readonly start: number } | undefined,
  used: number,
): boolean {
  return first !== undefined && first.start + first.chunk.length <= used;
}

/** Waits until the engine takes more, or will never again. */
function room(engine: Engine): Promise<void> {
  return settled(engine, ['drain', 'end', 'close']);
}

/** Ends the input and waits for the end of the output. */
async function finished(engine: Engine): Promise<void> {
  if (engine.destroyed) return;
  const end = settled(engine, ['end', 'close']);
  engine.end();
  await end;
}

function settled(engine: Engine, events: readonly string[]): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      for (const event of events) engine.off(event, done);
      resolve();
    };
    for (const event of events) engine.on(event, done);
  });
}
