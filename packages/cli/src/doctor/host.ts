import { execFile } from 'node:child_process';
import { readFile, statfs } from 'node:fs/promises';
import { environment } from '../env.ts';
import { findProgram } from '../run/rootless.ts';
import type { Host } from './check.ts';

/** This host. */
export function thisHost(): Host {
  return {
    isRoot: process.geteuid?.() === 0,
    read: (path) => readFile(path, 'utf8').catch(() => undefined),
    program: (name) => findProgram(name, `${environment['PATH'] ?? ''}:/usr/sbin:/sbin`),
    succeeds: (command, args) =>
      new Promise((resolve) =>
        execFile(command, [...args], { timeout: 5000 }, (error) => resolve(error === null)),
      ),
    fileSystemType: (path) =>
      statfs(path).then(
        ({ type }) => type,
        () => undefined,
      ),
  };
}
