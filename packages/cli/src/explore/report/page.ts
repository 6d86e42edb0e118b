import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { CliError } from '../../errors.ts';
import { packageRoot } from '../../package.ts';
import type { Report } from '../model/report.ts';

/** Where in the page the report belongs. */
const placeholder = '@REPORT@';

/** A page that shows a report. */
export interface ReportPage {
  /** One self-contained file. */
  readonly html: string;
  /** Its content security policy, which is also in the file. */
  readonly policy: string;
}

/**
 * Puts a report into the page that the package was built with. The report is compressed and written in base64, so that
 * no name of a file or label can be anything but data there.
 */
export async function renderPage(report: Report): Promise<ReportPage> {
  const template = await readTemplate();
  const [before, after, ...more] = template.split(placeholder);
  const policy = /http-equiv="Content-Security-Policy" content="([^"]+)"/.exec(template)?.[1];
  if (before === undefined || after === undefined || more.length > 0 || policy === undefined)
    throw new TypeError('dist/page/explore.html is not the page of explore: build the package again');
  const data = gzipSync(JSON.stringify(report)).toString('base64');
  return { html: `${before}${data}${after}`, policy };
}

async function readTemplate(): Promise<string> {
  const file = join(packageRoot, 'dist/page/explore.html');
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new CliError('ERR_OCI_INTERNAL', `the page of explore is not there: ${file}`, {
      cause,
      hint: 'build the package with esbuild installed; --tty and --json need no page',
    });
  }
}
