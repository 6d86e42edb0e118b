import { styleText } from 'node:util';
import { Args } from '@oclif/core';
import { BaseCommand, type GlobalFlagValues } from '../base-command.ts';
import type { Check, Finding, Verdict } from '../doctor/check.ts';
import { environment } from '../env.ts';
import { type RegistryFlagValues, registryFlags, registryOptions } from '../flags/registry.ts';
import { printable } from '../render/text.ts';

export default class Doctor extends BaseCommand {
  static override summary = 'Show what this host, or a registry, can and cannot do, and what to do about it';
  static override description =
    'With an image name, how it would be pulled: mirrors in their order, and for each place address, certificate, credentials, ranges, referrers, rate limit and clock. Exits with 0 also when something is missing: see the verdicts.';
  static override examples = [
    '<%= config.bin %> doctor',
    '<%= config.bin %> doctor --json',
    '<%= config.bin %> doctor registry.example.com/team/app:1',
  ];
  static override args = {
    image: Args.string({ ignoreStdin: true, description: 'Image in a registry; default: look at this host' }),
  };
  static override flags = { ...registryFlags };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Doctor);
    const findings =
      args.image === undefined ? await this.#host(flags) : await this.#registry(args.image, flags);
    await this.print(flags, {
      json: { findings },
      quiet: findings
        .filter(({ verdict }) => verdict !== 'ok')
        .map(({ name }) => name)
        .join('\n'),
      text: format(findings),
    });
  }

  async #registry(image: string, flags: RegistryFlagValues & GlobalFlagValues): Promise<readonly Finding[]> {
    const { diagnose } = await import('@ocijs/registry');
    const reference = image.replace(/^docker:\/\//, '');
    const onEvent = this.progress(flags);
    return diagnose(reference, { ...registryOptions(flags), signal: this.signal, onEvent });
  }

  async #host(flags: GlobalFlagValues): Promise<readonly Finding[]> {
    const { thisHost } = await import('../doctor/host.ts');
    const { initCheck, inflateCheck, nodeCheck } = await import('../doctor/tool.ts');
    const { storeCheck } = await import('../doctor/store.ts');
    const { overlayCheck } = await import('../doctor/overlay.ts');
    const { snapshotsDirectory } = await import('../containers/snapshots.ts');
    const system = await import('../doctor/system.ts');
    const users = await import('../doctor/users.ts');
    const { defaultStoreDirectory } = await import('@ocijs/image');
    const store = flags.store ?? defaultStoreDirectory(environment);
    const linuxOnly: readonly Check[] = [
      system.kernelCheck,
      system.cgroupCheck,
      users.userNamespaceCheck,
      users.subordinateIdsCheck,
      users.idHelpersCheck,
      system.openat2Check,
      (host) => overlayCheck(host, snapshotsDirectory(store)),
      initCheck,
    ];
    const host = thisHost();
    const findings: Finding[] = [];
    for (const check of [
      system.platformCheck,
      ...(process.platform === 'linux' ? linuxOnly : []),
      nodeCheck,
      inflateCheck,
      () => storeCheck(store),
    ]) {
      this.signal.throwIfAborted();
      findings.push(await check(host));
    }
    if (process.platform === 'linux') {
      const { networkHelpers } = await import('@ocijs/runtime');
      const { networkFindings } = await import('../doctor/network.ts');
      findings.push(...networkFindings(networkHelpers(), host));
    }
    return findings;
  }
}

/** What belongs to one place stands below its name. */
function format(findings: readonly Finding[]): string {
  let last: string | undefined;
  const lines = findings.flatMap((finding) => {
    const heading = finding.place === last ? [] : ['', `${printable(finding.place ?? '')}:`];
    last = finding.place;
    return [...heading, formatFinding(finding)];
  });
  return lines.join('\n');
}

const colours = { ok: 'green', limited: 'yellow', missing: 'red' } as const satisfies Record<Verdict, string>;

function formatFinding({ name, verdict, found, remedy }: Finding): string {
  const mark = styleText(colours[verdict], verdict.padEnd(8), { stream: process.stdout });
  const line = `${mark} ${name.padEnd(22)} ${printable(found)}`;
  return remedy === undefined ? line : `${line}\n${' '.repeat(32)}${remedy}`;
}
