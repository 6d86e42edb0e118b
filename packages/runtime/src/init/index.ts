export { readExitFile } from './exit-file.ts';
export { releaseInit } from './release.ts';
export { startInit } from './start.ts';
export type { InitExit, InitProcess, StartInitOptions, StdioOption } from './types.ts';
