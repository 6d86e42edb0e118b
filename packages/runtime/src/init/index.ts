export { startCriu } from './criu.ts';
export { type StartExecOptions, startExec } from './exec.ts';
export { readExitFile } from './exit-file.ts';
export { releaseInit } from './release.ts';
export { startInit } from './start.ts';
export { openStartResult, type StartResult } from './start-result.ts';
export type { InitExit, InitProcess, StartInitOptions, StdioOption, TerminalSize } from './types.ts';
