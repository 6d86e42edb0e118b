/** Writes the one JSON document of a command to stdout, and waits until it is out. */
export async function writeJson(value: unknown): Promise<void> {
  await write(`${JSON.stringify(value, null, 2)}\n`);
}

/** Writes to stdout and waits until it is out, so that nothing is lost when the process exits afterwards. */
export async function write(output: string | Uint8Array): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    process.stdout.write(output, (error) => {
      if (error === undefined || error === null) resolve();
      else reject(error);
    });
  });
}
