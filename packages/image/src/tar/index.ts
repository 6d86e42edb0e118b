/** Reading tar archives, without what writes them. */
export type * from './entry.ts';
export { type EntryRecord, entryOfRecord, recordOfEntry } from './entry-record.ts';
export * from './limits.ts';
export { createTarParser, type TarHandler, type TarParser } from './parser.ts';
export { type ReadTarOptions, readTar, type TarReadEntry } from './reader.ts';
export { expandSparse } from './sparse-expand.ts';
