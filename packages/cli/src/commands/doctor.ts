import { styleText } from 'node:util';
import { BaseCommand } from '../base-command.ts';
import type { Check, Finding, Verdict } from '../doctor/check.ts';
import { environment } from '../env.ts';
import { printable } from '../render/text.ts';

export default class Doctor extends BaseCommand {
  static override summary = 'Show what this host can and cannot do, and what to do about it';
  static override description = 'Exits with 0 also when something is missing: see the verdicts.';
  static override examples = ['<%= config.bin %> doctor', '<%= config.bin %> doctor --json'];

  async run(): Promise<void> {
    const { flags } = await this.parse(Doctor);
    const { thisHost } = await import('../doctor/host.ts');
    const { initCheck, inflateCheck, nodeCheck, storeCheck } = await import('../doctor/tool.ts');
    const system = await import('../doctor/system.ts');
    const users = await import('../doctor/users.ts');
    const { defaultStoreDirectory } = await import('@ocijs/image');
    const linuxOnly: readonly Check[] = [
      system.kernelCheck,
      system.cgroupCheck,
      users.userNamespaceCheck,
      users.subordinateIdsCheck,
      users.idHelpersCheck,
      system.openat2Check,
      system.overlayCheck,
      initCheck,
    ];
    const host = thisHost();
    const findings: Finding[] = [];
    for (const check of [
      system.platformCheck,
      ...(process.platform === 'linux' ? linuxOnly : []),
      nodeCheck,
      inflateCheck,
      () => storeCheck(flags.store ?? defaultStoreDirectory(environment)),
    ]) {
      this.signal.throwIfAborted();
      findings.push(await check(host));
    }
    await this.print(flags, {
      json: { findings },
      quiet: findings
        .filter(({ verdict }) => verdict !== 'ok')
        .map(({ name }) => name)
        .join('\n'),
      text: findings.map(formatFinding).join('\n'),
    });
  }
}

const colours = { ok: 'green', limited: 'yellow', missing: 'red' } as const satisfies Record<Verdict, string>;

function formatFinding({ name, verdict, found, remedy }: Finding): string {
  const mark = styleText(colours[verdict], verdict.padEnd(8), { stream: process.stdout });
  const line = `${mark} ${name.padEnd(22)} ${printable(found)}`;
  return remedy === undefined ? line : `${line}\n${' '.repeat(32)}${remedy}`;
}
