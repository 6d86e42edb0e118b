import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { missing } from '../../kit/requirements.ts';
import { ctr } from './containerd.ts';
import { buildah, podman, skopeo } from './containers-tools.ts';
import { crane, oras, regctl } from './go-tools.ts';
import type { MatrixScene } from './places.ts';
import { type Ability, type Medium, media, type Place, type RunningTool, type Tool } from './types.ts';
import { umoci } from './umoci.ts';

/** One cell of the table. */
export interface Cell {
  readonly tool: string;
  readonly medium: Medium;
  readonly direction: 'reads ours' | 'writes for us';
  readonly outcome: 'passed' | 'failed' | 'not applicable' | 'not installed';
  /** Why, unless it passed. */
  readonly reason?: string;
}

/** A row: a tool and its version. */
export interface Row {
  readonly tool: string;
  readonly version: string;
  readonly cells: readonly Cell[];
}

/** Every tool that is tried. */
export function allTools(scene: MatrixScene): readonly Tool[] {
  return [skopeo, umoci, podman, buildah, ctr, crane(scene), regctl(scene), oras(scene)];
}

/** Tries a tool with every medium, in both directions. */
export async function runTool(scene: MatrixScene, tool: Tool): Promise<Row> {
  const lacking = missing({ commands: tool.commands, root: tool.needsRoot === true });
  if (lacking !== false) {
    const cells = media.flatMap((medium) =>
      directions.map(
        (direction) =>
          ({ tool: tool.name, medium, direction, outcome: 'not installed', reason: lacking }) as const,
      ),
    );
    return { tool: tool.name, version: '', cells };
  }
  const directory = join(scene.directory, `tool-${tool.name}`);
  await mkdir(directory);
  const layout = scene.place('layout', `source-${tool.name}`);
  const reference = scene.place('oci serve', `source-${tool.name}`);
  for (const place of [layout, reference]) await scene.writeOurs(place);
  await using running = await tool.start({ directory, layout: layout.at, reference: reference.at });
  const cells: Cell[] = [];
  for (const medium of media)
    for (const direction of directions)
      cells.push({
        tool: tool.name,
        medium,
        direction,
        ...(await tryCell({ scene, running, medium, direction, tool })),
      });
  return { tool: tool.name, version: running.version, cells };
}

const directions = ['reads ours', 'writes for us'] as const;

async function tryCell({
  scene,
  running,
  medium,
  direction,
  tool,
}: {
  readonly scene: MatrixScene;
  readonly running: RunningTool;
  readonly medium: Medium;
  readonly direction: Cell['direction'];
  readonly tool: Tool;
}): Promise<Pick<Cell, 'outcome' | 'reason'>> {
  const isRead = direction === 'reads ours';
  const place: Place = scene.place(
    medium,
    `${tool.name}-${isRead ? 'reads' : 'writes'}-${medium.replace(' ', '-')}`,
  );
  const ability: Ability = isRead ? running.read(place) : running.write(place);
  if (typeof ability === 'string') return { outcome: 'not applicable', reason: ability };
  try {
    if (isRead) await scene.writeOurs(place);
    const said = await ability(place);
    const config = isRead ? said : await scene.readTheirs(place);
    // umoci writes an image of its own, with one more layer.
    if (config === scene.configDigest || (tool.name === 'umoci' && !isRead)) return { outcome: 'passed' };
    return { outcome: 'failed', reason: `the config is ${config}, not ${scene.configDigest}` };
  } catch (error) {
    return { outcome: 'failed', reason: (error as Error).message.trim().split('\n').slice(0, 4).join(' ') };
  }
}
