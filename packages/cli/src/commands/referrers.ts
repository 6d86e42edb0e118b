import type { ReferrerNode, ReferrerTree } from '@ocijs/registry';
import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../base-command.ts';
import { registryFlags, registryOptions } from '../flags/registry.ts';
import { registryName } from '../image-name.ts';
import { printable } from '../render/text.ts';

export default class Referrers extends BaseCommand {
  static override summary =
    'Show what refers to an image: signatures, SBOMs, attestations and other artifacts';
  static override examples = [
    '<%= config.bin %> referrers registry.example.com/team/app:v1',
    '<%= config.bin %> referrers --artifact-type application/spdx+json --json registry.example.com/team/app:v1',
  ];
  static override args = {
    reference: Args.string({ required: true, ignoreStdin: true, description: 'Image in a registry' }),
  };
  static override flags = {
    'artifact-type': Flags.string({ helpValue: 'TYPE', summary: 'Only referrers of this type' }),
    depth: Flags.integer({
      min: 1,
      max: 8,
      default: 8,
      helpValue: 'N',
      summary: 'Follow referrers of referrers this deep',
    }),
    ...registryFlags,
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Referrers);
    const { listReferrers } = await import('@ocijs/registry');
    const tree = await listReferrers(registryName(args.reference), {
      ...registryOptions(flags),
      artifactType: flags['artifact-type'],
      depth: flags.depth,
      signal: this.signal,
      onEvent: this.progress(flags),
    });
    await this.print(flags, {
      json: { ...nodeDocument(tree), reference: tree.reference, source: tree.source },
      quiet: tree.referrers.map(({ descriptor }) => descriptor.digest).join('\n'),
      text: formatTree(tree),
    });
  }
}

interface NodeDocument {
  readonly referrers?: readonly NodeDocument[];
}

function nodeDocument({ descriptor, referrers }: ReferrerNode): NodeDocument {
  return { ...descriptor, ...(referrers === undefined ? {} : { referrers: referrers.map(nodeDocument) }) };
}

function formatTree({ reference, descriptor, referrers }: ReferrerTree): string {
  const title = reference.includes('@') ? reference : `${reference}@${descriptor.digest}`;
  return [
    title,
    ...referrers.flatMap((node, index) => formatNode(node, index === referrers.length - 1)),
  ].join('\n');
}

function formatNode({ descriptor, referrers = [] }: ReferrerNode, isLast: boolean): string[] {
  const type = printable(descriptor.artifactType ?? descriptor.mediaType);
  const annotations = Object.entries(descriptor.annotations ?? {}).map(
    ([name, value]) => `${printable(name)}: ${printable(value)}`,
  );
  const children = referrers.flatMap((node, index) => formatNode(node, index === referrers.length - 1));
  const bar = referrers.length > 0 ? '│ ' : '  ';
  const below = [...annotations.map((line) => `${bar}  ${line}`), ...children];
  return [
    `${isLast ? '└─' : '├─'} ${type} ${descriptor.digest}`,
    ...below.map((line) => `${isLast ? '  ' : '│ '} ${line}`),
  ];
}
