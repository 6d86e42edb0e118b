import { setTimeout as delay } from 'node:timers/promises';
import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../base-command.ts';
import { type Containers, type KnownContainer, openContainers } from '../containers/collection.ts';
import { findAll, requireRunning } from '../containers/running.ts';
import { sampleUsage, type Usage, type UsageSample, usageBetween } from '../containers/usage.ts';
import { formatBytes } from '../render/bytes.ts';
import { write } from '../render/json.ts';
import { formatTable } from '../render/table.ts';
import { shortId } from '../render/text.ts';

/** Milliseconds between two samples: what the processors did is what changed between them. */
const interval = 1000;

interface Row {
  readonly container: KnownContainer;
  /** Undefined for a container without a cgroup. */
  readonly usage: Usage | undefined;
}

export default class Stats extends BaseCommand {
  static override summary = 'Show what containers use';
  static override description =
    'All that run, or the ones that are named, measured anew every second until they have ended or Ctrl-C. Containers without a cgroup, which most of an ordinary user are, have dashes.';
  static override examples = [
    '<%= config.bin %> stats',
    '<%= config.bin %> stats --no-stream web database',
    '<%= config.bin %> stats --json web',
  ];
  static override strict = false;
  static override args = {
    container: Args.string({ ignoreStdin: true, description: 'Names, ids or beginnings of ids' }),
  };
  static override flags = {
    'no-stream': Flags.boolean({ default: false, summary: 'Measure once; --json always does' }),
  };

  async run(): Promise<void> {
    const { argv, flags } = await this.parse(Stats);
    const { directory } = await this.openStore(flags);
    const containers = openContainers(directory);
    const named = argv.length === 0 ? undefined : await findAll(containers, argv);
    for (const container of named ?? []) await requireRunning(container);
    const tables = this.#measure(containers, named);
    if (flags.json || flags['no-stream']) {
      const { value: rows = [] } = await tables.next();
      return await this.print(flags, { json: rows.map(describe), text: formatRows(rows) });
    }
    // On a terminal each table takes the place of the one before.
    const start = process.stdout.isTTY ? '\u001b[H\u001b[J' : '';
    for await (const rows of tables) await write(`${start}${formatRows(rows)}\n`);
  }

  /** The usage of the containers, once in each interval, until all that were named have ended. */
  async *#measure(
    containers: Containers,
    named: readonly KnownContainer[] | undefined,
  ): AsyncGenerator<readonly Row[], undefined> {
    let before: ReadonlyMap<string, UsageSample> = new Map();
    for (let isFirst = true; ; isFirst = false) {
      const known = named ?? (await containers.list());
      const after = new Map<string, UsageSample>();
      const rows: Row[] = [];
      for (const container of known) {
        const { id } = container.record;
        const sample = await sampleUsage(container);
        if (sample === undefined) continue;
        after.set(id, sample);
        const earlier = before.get(id);
        if (earlier !== undefined) rows.push({ container, usage: usageBetween(earlier, sample) });
      }
      if (!isFirst) yield rows;
      if (named !== undefined && after.size === 0) return;
      before = after;
      await delay(interval, undefined, { signal: this.signal }).catch(() => this.signal.throwIfAborted());
    }
  }
}

function formatRows(rows: readonly Row[]): string {
  return formatTable(
    ['CONTAINER ID', 'NAME', 'CPU %', 'MEM USAGE / LIMIT', 'MEM %', 'PIDS', 'BLOCK I/O'],
    rows.map(({ container: { record }, usage }) => [
      shortId(record.id),
      record.name,
      ...(usage === undefined ? ['-', '-', '-', '-', '-'] : formatUsage(usage)),
    ]),
  );
}

function formatUsage(usage: Usage): readonly string[] {
  const { cpuPercent, memory, memoryLimit, pids, blockRead, blockWritten } = usage;
  return [
    `${cpuPercent.toFixed(2)}%`,
    `${formatBytes(memory)} / ${formatBytes(memoryLimit)}`,
    `${((memory / memoryLimit) * 100).toFixed(2)}%`,
    String(pids),
    `${formatBytes(blockRead)} / ${formatBytes(blockWritten)}`,
  ];
}

function describe({ container: { record }, usage }: Row): object {
  const { id, name } = record;
  return { id, name, ...usage };
}
