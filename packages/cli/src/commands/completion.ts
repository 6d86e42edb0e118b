import type { Store } from '@ocijs/image';
import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../base-command.ts';
import { bashCompletion } from '../completion/bash.ts';
import { fishCompletion } from '../completion/fish.ts';
import { completableCommands } from '../completion/model.ts';
import { zshCompletion } from '../completion/zsh.ts';
import { openContainers } from '../containers/collection.ts';
import { usageError } from '../errors.ts';
import { write } from '../render/json.ts';

const shells = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion };

export default class Completion extends BaseCommand {
  static override summary = 'Print the completion script for a shell';
  static override description =
    'Commands, flags and their values, names of images in the store and of containers are completed. Put the line of the example into ~/.bashrc, ~/.zshrc (after compinit) or ~/.config/fish/config.fish.';
  static override examples = [
    'source <(<%= config.bin %> completion bash)',
    'source <(<%= config.bin %> completion zsh)',
    '<%= config.bin %> completion fish | source',
  ];
  static override args = {
    shell: Args.string({ ignoreStdin: true, options: Object.keys(shells), description: 'bash, zsh or fish' }),
  };
  static override flags = {
    list: Flags.string({
      hidden: true,
      options: ['images', 'containers'],
      summary: 'Print names, as the scripts ask for them',
    }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Completion);
    if (flags.list !== undefined) {
      const store = await this.openStore(flags);
      const names = flags.list === 'images' ? await imageNames(store) : await containerNames(store.directory);
      return this.print(flags, { json: names, text: names.join('\n') });
    }
    const script = shells[args.shell as keyof typeof shells];
    if (script === undefined) throw usageError('missing SHELL', 'oci completion bash, zsh or fish');
    const { loadCommands } = await import('./index.ts');
    const text = script(completableCommands(await loadCommands()));
    if (flags.json) await this.print(flags, { json: { shell: args.shell, script: text }, text });
    else await write(text);
  }
}

async function imageNames(store: Store): Promise<readonly string[]> {
  return (await store.list()).map(({ name }) => name).sort();
}

async function containerNames(storeDirectory: string): Promise<readonly string[]> {
  const containers = await openContainers(storeDirectory).list();
  return containers.map(({ record }) => record.name);
}
