import { writeFile } from 'node:fs/promises';
import type { ImageAnalysis } from '@ocijs/image';
import { Args, Flags } from '@oclif/core';
import type { GlobalFlagValues } from '../base-command.ts';
import { usageError } from '../errors.ts';
import type { Report } from '../explore/model/report.ts';
import { ImageCommand, type ImageFlagValues, imageFlags } from '../image-command.ts';
import { leaseImage } from '../image-lease.ts';
import { parseImageName } from '../image-name.ts';
import { packageVersion } from '../package.ts';
import { write } from '../render/json.ts';
import { printable } from '../render/text.ts';

export default class Explore extends ImageCommand {
  static override summary = 'Look around in an image: layers, files, wasted space, history; or compare two';
  static override description =
    'Serves a page on 127.0.0.1, at an address with a secret in it, until Ctrl-C. With --tty the same in the terminal; --export writes the page to one file that needs nothing else; --json prints the analysis. Nothing is unpacked.';
  static override examples = [
    '<%= config.bin %> explore debian:bookworm',
    '<%= config.bin %> explore app:v1 app:v2',
    '<%= config.bin %> explore --tty app:v1',
    '<%= config.bin %> explore app:v1 --export report.html',
    "<%= config.bin %> explore app:v1 --json | jq '.images[0].wasted[:5]'",
  ];
  static override args = {
    image: Args.string({ required: true, ignoreStdin: true, description: 'Image to look into' }),
    other: Args.string({ ignoreStdin: true, description: 'Image to compare it with' }),
  };
  static override flags = {
    tty: Flags.boolean({
      default: false,
      summary: 'Explore in the terminal',
      exclusive: ['export', 'json', 'open'],
    }),
    export: Flags.string({
      helpValue: 'FILE',
      summary: 'Write the page to a file, - for standard output, and serve nothing',
      exclusive: ['json', 'open'],
    }),
    open: Flags.boolean({
      allowNo: true,
      summary: 'Open the page in a browser (default: where there is a desktop)',
    }),
    ...imageFlags,
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Explore);
    if (flags.tty && !(process.stdin.isTTY && process.stdout.isTTY))
      throw usageError('--tty needs a terminal', 'leave --tty out, or use --export or --json');
    const names = args.other === undefined ? [args.image] : [args.image, args.other];
    const analyses: ImageAnalysis[] = [];
    for (const name of names) analyses.push(await this.#analyze(name, flags));
    this.endProgress();
    if (flags.json) {
      const { analysisDocument } = await import('../explore/report/analysis-document.ts');
      return this.print(flags, { json: analysisDocument(analyses), text: '' });
    }
    const { buildReport } = await import('../explore/report/build-report.ts');
    const report = buildReport(analyses, `oci ${packageVersion()}`);
    if (flags.tty) {
      const { exploreTerminal } = await import('../explore/terminal/explore-terminal.ts');
      return exploreTerminal(report, { signal: this.signal });
    }
    const { renderPage } = await import('../explore/report/page.ts');
    const page = await renderPage(report);
    if (flags.export === undefined) return this.#serve(page, { report, flags });
    if (flags.export === '-') return write(page.html);
    await writeFile(flags.export, page.html);
    this.remark(flags, `wrote ${printable(flags.export)}`);
  }

  async #analyze(text: string, flags: ImageFlagValues): Promise<ImageAnalysis> {
    const image = await this.openImage(text, flags, 'read');
    const name = parseImageName(text);
    const { analyzeImage } = await import('@ocijs/image');
    // What is read from a registry is not in the store.
    await using _lease =
      name.transport === 'name'
        ? await leaseImage(image, {
            name,
            openStore: () => this.openStore(flags),
            purpose: 'explore',
            signal: this.signal,
          })
        : undefined;
    return analyzeImage(image, { signal: this.signal, onEvent: this.progress(flags) });
  }

  async #serve(
    page: { readonly html: string; readonly policy: string },
    {
      report,
      flags,
    }: { readonly report: Report; readonly flags: GlobalFlagValues & { readonly open?: boolean } },
  ): Promise<void> {
    const { servePage } = await import('../explore/server/serve-page.ts');
    const { hasDesktop, openBrowser } = await import('../explore/server/open-browser.ts');
    await using server = await servePage(page);
    const what = report.images.map(({ name }) => printable(name)).join(' and ');
    await write(flags.quiet ? `${server.url}\n` : `${what}: ${server.url}\n`);
    this.remark(flags, 'Ctrl-C ends it');
    const isWanted = flags.open ?? (process.stdout.isTTY && hasDesktop());
    if (isWanted && !(await openBrowser(server.oneTimeUrl())))
      this.remark(flags, 'no browser could be opened: xdg-open is not there');
    await aborted(this.signal);
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
