import { Args, Flags } from '@oclif/core';
import { editRecord, historyFlags, listFlag, parsePairs, parseWords } from '../edit/flags.ts';
import { usageError } from '../errors.ts';
import { ImageCommand, imageFlags } from '../image-command.ts';

export default class Config extends ImageCommand {
  static override summary = 'Make an image with another configuration';
  static override description =
    'What no flag names stays; an empty value removes a field. Layers are not touched. The same edit of the same image gives the same digest, since no time comes from the clock.';
  static override examples = [
    '<%= config.bin %> config app:v1 app:v2 --env MODE=production --user 1000 --workdir /srv',
    `<%= config.bin %> config app:v1 app:v2 --entrypoint '["/app"]' --cmd ''`,
    '<%= config.bin %> config app:v1 app:v2 --unset-label maintainer --port 8080/tcp',
  ];
  static override args = {
    image: Args.string({ required: true, ignoreStdin: true, description: 'Image to start from' }),
    new: Args.string({ required: true, ignoreStdin: true, description: 'NAME[:TAG] or oci:DIR[:TAG]' }),
  };
  static override flags = {
    entrypoint: Flags.string({ helpValue: 'JSON', summary: 'Program to start: a JSON list, or text for sh' }),
    cmd: Flags.string({ helpValue: 'JSON', summary: 'Its arguments: a JSON list, or text for sh' }),
    env: listFlag('NAME=VALUE', 'Set a variable'),
    'unset-env': listFlag('NAME', 'Remove a variable'),
    label: listFlag('NAME=VALUE', 'Set a label'),
    'unset-label': listFlag('NAME', 'Remove a label'),
    port: listFlag('PORT[/PROTOCOL]', 'Expose a port'),
    'unset-port': listFlag('PORT[/PROTOCOL]', 'Expose a port no more'),
    volume: listFlag('PATH', 'Declare a volume'),
    'unset-volume': listFlag('PATH', 'Declare a volume no more'),
    clear: Flags.string({
      multiple: true,
      multipleNonGreedy: true,
      default: [],
      options: ['env', 'label', 'port', 'volume'],
      summary: 'Remove all of these first',
    }),
    user: Flags.string({ helpValue: 'USER[:GROUP]', summary: 'Who runs the program' }),
    workdir: Flags.string({ helpValue: 'PATH', summary: 'Where it starts' }),
    'stop-signal': Flags.string({ helpValue: 'SIGNAL', summary: 'What ends it' }),
    author: Flags.string({ helpValue: 'TEXT', summary: 'Who made the image' }),
    created: Flags.string({ helpValue: 'TIME', summary: 'When the image was made' }),
    'no-history': Flags.boolean({ default: false, summary: 'Leave the history as it is' }),
    ...historyFlags,
    ...imageFlags,
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Config);
    const { entrypoint, cmd, user, workdir, author, created } = flags;
    const record = editRecord(
      { ...flags, 'history.created': flags['history.created'] ?? created },
      'oci config',
    );
    const clears = new Set<string>(flags.clear);
    const asSet = (names: readonly string[]) => Object.fromEntries(names.map((name) => [name, '']));
    const ports = (texts: readonly string[]) =>
      texts.map((text) => {
        if (!/^\d{1,5}(-\d{1,5})?(\/(tcp|udp|sctp))?$/.test(text))
          throw usageError(
            `port ${JSON.stringify(text)} is not PORT[/tcp|udp|sctp]`,
            'for example 8080 or 53/udp',
          );
        return text.includes('/') ? text : `${text}/tcp`;
      });
    const image = await this.openImage(args.image, flags);
    await using to = await this.destination(args.new, flags);
    const { draftOf, withConfig, writeDraft } = await import('@ocijs/image');
    const draft = withConfig(
      draftOf(image),
      {
        entrypoint: entrypoint === undefined ? undefined : parseWords('--entrypoint', entrypoint),
        cmd: cmd === undefined ? undefined : parseWords('--cmd', cmd),
        env: { clear: clears.has('env'), set: parsePairs('--env', flags.env), remove: flags['unset-env'] },
        labels: {
          clear: clears.has('label'),
          set: parsePairs('--label', flags.label),
          remove: flags['unset-label'],
        },
        exposedPorts: {
          clear: clears.has('port'),
          set: asSet(ports(flags.port)),
          remove: ports(flags['unset-port']),
        },
        volumes: {
          clear: clears.has('volume'),
          set: asSet(flags.volume),
          remove: flags['unset-volume'],
        },
        user,
        workingDir: workdir,
        stopSignal: flags['stop-signal'],
        author,
      },
      { ...record, ...(flags['no-history'] ? { history: false } : {}) },
    );
    const { name } = to;
    const descriptor = await writeDraft(to.store, draft, { sources: [image], name, signal: this.signal });
    await this.printImage(flags, { name, descriptor });
  }
}
