import { writeFile } from 'node:fs/promises';
import type { BuildOptions, BuildResult } from '@ocijs/build';
import type { OnEvent, Store } from '@ocijs/image';
import type { RegistryOptions } from '@ocijs/registry';
import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../base-command.ts';
import { type Call, callBuild, calls } from '../build/call.ts';
import { readDockerfile } from '../build/dockerfile.ts';
import { parseOutput, writeOutput } from '../build/outputs.ts';
import { parseAgents, readSecrets } from '../build/secrets.ts';
import { showBuild } from '../build/show-build.ts';
import { platformText } from '../describe.ts';
import { environment } from '../env.ts';
import { usageError } from '../errors.ts';
import { ExitCode } from '../exit-codes.ts';
import { parseNameValues } from '../flags/name-value.ts';
import { platformsFlags } from '../flags/platform.ts';
import { pullFlags } from '../flags/pull.ts';
import { registryFlags, registryOptions } from '../flags/registry.ts';
import { parseImageName } from '../image-name.ts';
import { openImage, type PullPolicy } from '../images.ts';
import type { ProgressMode } from '../render/progress.ts';

export default class Build extends BaseCommand {
  static override summary = 'Build an image from a Dockerfile';
  static override description =
    'Without a daemon. What an earlier build has done with the same input is not done again, and the same input gives the same digest on any day.';
  static override examples = [
    '<%= config.bin %> build -t app:1 .',
    '<%= config.bin %> build -f deploy/Dockerfile --target test --build-arg VERSION=2 -t app:test .',
    '<%= config.bin %> build --secret id=npmrc,src=.npmrc -t app .',
  ];
  static override args = {
    context: Args.string({
      required: true,
      ignoreStdin: true,
      description: 'Directory that COPY takes files from',
    }),
  };
  static override flags = {
    file: Flags.string({
      char: 'f',
      helpValue: 'FILE',
      summary: 'Dockerfile (default: that of the context); - is stdin',
    }),
    tag: Flags.string({
      char: 't',
      multiple: true,
      multipleNonGreedy: true,
      helpValue: 'NAME',
      summary: 'Name of the image',
    }),
    target: Flags.string({ helpValue: 'STAGE', summary: 'Stage to build (default: the last one)' }),
    'build-arg': Flags.string({
      multiple: true,
      multipleNonGreedy: true,
      helpValue: 'NAME[=VALUE]',
      summary: "Value of an ARG; without one, the environment's",
    }),
    'build-context': Flags.string({
      multiple: true,
      multipleNonGreedy: true,
      helpValue: 'NAME=DIR',
      summary: 'Further directory, for FROM and --from',
    }),
    label: Flags.string({
      multiple: true,
      multipleNonGreedy: true,
      helpValue: 'NAME=VALUE',
      summary: 'Label of the image',
    }),
    annotation: Flags.string({
      multiple: true,
      multipleNonGreedy: true,
      helpValue: 'NAME=VALUE',
      summary: 'Annotation of the manifest',
    }),
    secret: Flags.string({
      multiple: true,
      multipleNonGreedy: true,
      helpValue: 'id=NAME,src=FILE',
      summary: 'Secret for RUN --mount=type=secret',
    }),
    network: Flags.string({ options: ['host', 'none'], default: 'host', summary: 'Network of RUN' }),
    output: Flags.string({
      char: 'o',
      multiple: true,
      multipleNonGreedy: true,
      helpValue: 'DIR|type=TYPE,dest=PATH',
      summary: 'Also write local (files), tar, oci, docker (archives) or oci-layout',
    }),
    push: Flags.boolean({ default: false, summary: 'Push the image under its names' }),
    'no-cache': Flags.boolean({ default: false, summary: 'Run every step' }),
    ssh: Flags.string({
      multiple: true,
      multipleNonGreedy: true,
      helpValue: 'default|ID=SOCKET',
      summary: 'Agent for RUN --mount=type=ssh',
    }),
    call: Flags.string({
      options: [...calls],
      summary: 'Look at the Dockerfile instead of building it',
      exclusive: ['check'],
    }),
    check: Flags.boolean({
      default: false,
      summary: 'Look for mistakes in the Dockerfile; the same as --call check',
    }),
    iidfile: Flags.string({ helpValue: 'FILE', summary: "Write the image's digest to a file" }),
    'metadata-file': Flags.string({ helpValue: 'FILE', summary: 'Write what was built to a file, as JSON' }),
    ...pullFlags,
    ...platformsFlags,
    ...registryFlags,
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Build);
    const { build, openContext } = await import('@ocijs/build');
    const { formatReference, parseReference } = await import('@ocijs/image');
    const names = (flags.tag ?? []).map((name) => formatReference(parseReference(name)));
    const outputs = (flags.output ?? []).map(parseOutput);
    if (flags.push && names.length === 0) throw usageError('--push needs a name', 'add --tag REGISTRY/NAME');
    const store = await this.openStore(flags);
    const { text, path } = await readDockerfile(args.context, flags.file);
    await using resources = new AsyncDisposableStack();
    const { signal } = this;
    const context = resources.use(await openContext(args.context, { dockerfile: path, signal }));
    const given = buildArguments(flags['build-arg']);
    const call = flags.check ? 'check' : (flags.call as Call | undefined);
    if (call !== undefined) {
      const { ignore } = context;
      const result = await callBuild(call, { dockerfile: text, ignore, given, target: flags.target });
      await this.print(flags, result);
      if (result.failed) process.exitCode = ExitCode.failure;
      return;
    }
    const contexts = new Map<string, typeof context>();
    for (const [name, directory] of Object.entries(
      parseNameValues(flags['build-context'], '--build-context') ?? {},
    ))
      contexts.set(
        name,
        resources.use(await openContext(directory, { label: `the context ${name}`, signal })),
      );
    const onEvent = this.progress(flags);
    const mode = flags.quiet && flags.progress === 'auto' ? 'none' : (flags.progress as ProgressMode);
    const options: BuildOptions = {
      store,
      context,
      contexts,
      dockerfile: text,
      arguments: given,
      target: flags.target,
      labels: parseNameValues(flags.label, '--label'),
      annotations: parseNameValues(flags.annotation, '--annotation'),
      secrets: await readSecrets(flags.secret),
      agents: parseAgents(flags.ssh),
      network: flags.network as 'host' | 'none',
      noCache: flags['no-cache'],
      created: sourceDateEpoch(),
      resolveImage: (name, { platform }) =>
        openImage(parseImageName(name), {
          openStore: async () => store,
          pull: flags.pull as PullPolicy,
          remote: 'pull',
          registry: registryOptions(flags),
          platform,
          signal,
          onEvent,
        }),
      signal,
      onEvent: showBuild(mode, process.stderr),
    };
    const { hostPlatform, parsePlatform, writeIndex } = await import('@ocijs/image');
    const platforms = flags.platform?.map((platform) => parsePlatform(platform)) ?? [hostPlatform()];
    const built: BuildResult[] = [];
    // One after the other: what does not depend on the platform is done once.
    for (const platform of platforms)
      built.push(await build({ ...options, platform, ...(platforms.length === 1 ? { names } : {}) }));
    const [first] = built;
    if (first === undefined) throw usageError('--platform is empty');
    const images = built.map(({ image }) => image);
    const manifests = built.map(({ descriptor }) => descriptor);
    const { digest } =
      platforms.length === 1
        ? first.descriptor
        : await writeIndex(store, { manifests, name: names[0], signal });
    if (platforms.length > 1)
      for (const name of names.slice(1)) await tagIndex(store, { from: names[0], to: name });
    for (const output of outputs) await writeOutput(output, { store, images, names }, { signal });
    if (flags.push)
      for (const name of names)
        await pushImage(name, {
          store,
          registry: registryOptions(flags),
          allPlatforms: platforms.length > 1,
          signal,
          onEvent,
        });
    const document = {
      names,
      digest,
      platforms: built.map(({ descriptor, image, steps }) => ({
        platform: platformText(image.platform),
        digest: descriptor.digest,
        steps,
      })),
    };
    if (flags.iidfile !== undefined) await writeFile(flags.iidfile, digest);
    if (flags['metadata-file'] !== undefined)
      await writeFile(flags['metadata-file'], `${JSON.stringify(document, null, 2)}\n`);
    if (outputs.some(({ destination }) => destination === '-')) return;
    const called = names.length === 0 ? '' : `${names.join(', ')}@`;
    await this.print(flags, { json: document, quiet: digest, text: `built ${called}${digest}` });
  }
}

/** `NAME=VALUE`, or `NAME` for the value of the environment, if it has one. */
function buildArguments(texts: readonly string[] = []): ReadonlyMap<string, string> {
  return new Map(
    texts.flatMap((text) => {
      const [, name = '', value] = /^([^=]+)(?:=(.*))?$/s.exec(text) ?? [];
      if (name === '') throw usageError(`--build-arg ${text} is not NAME=VALUE`);
      const given = value ?? environment[name];
      return given === undefined ? [] : [[name, given] as const];
    }),
  );
}

function sourceDateEpoch(): number | undefined {
  const text = environment['SOURCE_DATE_EPOCH'];
  if (text === undefined || text === '') return undefined;
  if (!/^\d{1,12}$/.test(text)) throw usageError(`SOURCE_DATE_EPOCH=${text} is no number of seconds`);
  return Number(text);
}

async function tagIndex(
  store: Store,
  { from = '', to }: { readonly from: string | undefined; readonly to: string },
): Promise<void> {
  const descriptor = await store.resolve(from);
  if (descriptor !== undefined) await store.tag(to, descriptor);
}

async function pushImage(
  name: string,
  options: {
    readonly store: Store;
    readonly registry: RegistryOptions;
    readonly allPlatforms: boolean;
    readonly signal: AbortSignal;
    readonly onEvent: OnEvent;
  },
): Promise<void> {
  const { push } = await import('@ocijs/registry');
  const { registry, ...rest } = options;
  await push(name, name, { ...registry, ...rest });
}
