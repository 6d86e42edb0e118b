import { render } from 'preact';
import type { Report } from '../src/explore/model/report.ts';
import { App } from './app.tsx';
import { openReport } from './report.ts';

/** The report stands in the page as gzip in base64. */
async function readReport(): Promise<Report> {
  const text = document.getElementById('report')?.textContent ?? '';
  const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
  return JSON.parse(await new Response(stream).text()) as Report;
}

async function start(root: HTMLElement): Promise<void> {
  try {
    const report = openReport(await readReport());
    document.title = `${report.images.map(({ title }) => title).join(' and ')} · oci explore`;
    root.replaceChildren();
    render(<App report={report} />, root);
    document.documentElement.dataset['ready'] = 'true';
  } catch (error) {
    root.textContent = `This page cannot be shown: ${String(error)}`;
  }
}

const root = document.getElementById('app');
if (root !== null) void start(root);
