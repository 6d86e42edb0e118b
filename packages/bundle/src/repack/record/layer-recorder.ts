import type { TarEntry } from '@ocijs/image';
import { recordOfEntry } from '@ocijs/image/tar';

// An import would evaluate all of node:fs, with its promises and watchers, which takes a new thread 5 ms.
const { closeSync, openSync, writeSync } = process.getBuiltinModule('node:fs');

/** Characters that are collected before they are written. */
const batchLength = 256 * 1024;

/** Writes down the entries of one layer while it is applied. Disposing closes the file. */
export interface LayerRecorder extends Disposable {
  entry(header: TarEntry): void;
  finish(): void;
}

/** Starts the record of a layer in a new file. */
export function createLayerRecorder(path: string): LayerRecorder {
  const fd = openSync(path, 'wx', 0o600);
  let lines: string[] = [];
  let length = 0;
  const flush = (): void => {
    writeSync(fd, lines.join(''));
    lines = [];
    length = 0;
  };
  return {
    entry(header) {
      const line = `${JSON.stringify(recordOfEntry(header))}\n`;
      lines.push(line);
      length += line.length;
      if (length >= batchLength) flush();
    },
    finish: flush,
    [Symbol.dispose]: () => closeSync(fd),
  };
}
