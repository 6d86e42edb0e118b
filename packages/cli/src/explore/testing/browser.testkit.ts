import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Browser, launch, type Page } from 'puppeteer-core';
import { packageRoot } from '../../package.ts';
import type { Report } from '../model/report.ts';
import { renderPage } from '../report/page.ts';
import { servePage } from '../server/serve-page.ts';

const chromium = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(
  existsSync,
);

/** Why pages cannot be tested here, or false. */
export const skipBrowser: string | false = chromium === undefined && 'needs chromium, not installed';

/** A page with a report in it, and what went wrong there. */
export interface OpenPage extends AsyncDisposable {
  readonly page: Page;
  /** Messages of the console, errors, and requests for anything but the page. */
  readonly complaints: readonly string[];
  /** Evaluates an expression in the page. */
  ask<Value>(expression: string): Promise<Value>;
  /** Waits until an expression is true in the page. */
  until(expression: string): Promise<void>;
}

/** A browser without a window. */
export interface TestBrowser extends AsyncDisposable {
  open(
    report: Report,
    options?: { readonly width?: number; readonly theme?: 'light' | 'dark' },
  ): Promise<OpenPage>;
}

/** Starts a browser whose home is a temporary directory; the page of explore is bundled as its sources are now. */
export async function testBrowser(): Promise<TestBrowser> {
  await promisify(execFile)(process.execPath, [join(packageRoot, 'scripts/page.mjs')]);
  const home = await mkdtemp(join(tmpdir(), 'oci-explore-browser-'));
  const browser: Browser = await launch({
    executablePath: chromium ?? '',
    args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'],
    env: { ...process.env, HOME: home, TMPDIR: home },
    userDataDir: join(home, 'profile'),
    // A busy machine is no failure.
    timeout: 120_000,
    protocolTimeout: 120_000,
  });
  return {
    async open(report, { width = 1280, theme = 'light' } = {}) {
      const server = await servePage(await renderPage(report));
      const page = await browser.newPage();
      page.setDefaultTimeout(60_000);
      const complaints: string[] = [];
      page.on('console', (message) => complaints.push(`console: ${message.text()}`));
      page.on('pageerror', (error) => complaints.push(`error: ${String(error)}`));
      page.on('dialog', (dialog) => {
        complaints.push(`dialog: ${dialog.message()}`);
        void dialog.dismiss();
      });
      page.on('request', (request) => {
        const isOurs = request.url() === server.url || request.url().startsWith('data:');
        if (!isOurs) complaints.push(`request: ${request.url()}`);
      });
      await page.setViewport({ width, height: 800 });
      await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: theme }]);
      await page.goto(server.url);
      const until = async (expression: string): Promise<void> => {
        await page.waitForFunction(expression);
      };
      await until('document.documentElement.dataset.ready === "true"');
      return {
        page,
        complaints,
        ask: async <Value>(expression: string) => (await page.evaluate(expression)) as Value,
        until,
        async [Symbol.asyncDispose]() {
          await page.close();
          await server[Symbol.asyncDispose]();
        },
      };
    },
    async [Symbol.asyncDispose]() {
      await browser.close();
      await rm(home, { recursive: true, force: true, maxRetries: 10 });
    },
  };
}
