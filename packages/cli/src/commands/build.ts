import { writeFile } from 'node:fs/promises';
import type { BuildNodeOptions, BuildOptions, ImageOptions } from '@ocijs/build';
import { Args } from '@oclif/core';
import { BaseCommand } from '../base-command.ts';
import { parseAnnotations } from '../build/annotations.ts';
import { buildArguments, sourceDateEpoch } from '../build/arguments.ts';
import { parseAttestations } from '../build/attest.ts';
import { buildImage } from '../build/build-image.ts';
import { parseCacheSource, parseCacheTarget } from '../build/cache-flags.ts';
import { openCaches } from '../build/cache-from.ts';
import { exportedTargets, writeCaches } from '../build/cache-to.ts';
import { type Call, callBuild } from '../build/call.ts';
import { debugShell } from '../build/debug-shell.ts';
import { buildFlags } from '../build/flags.ts';
import { openInput, openNamedContexts } from '../build/input.ts';
import { openLock } from '../build/lock.ts';
import { buildDocument, buildMetadata } from '../build/metadata.ts';
import { nodeOptions, refuseNodeFlags } from '../build/node.ts';
import { parseOutput } from '../build/outputs.ts';
import { parseRights } from '../build/rights.ts';
import { parseAgents, readSecrets } from '../build/secrets.ts';
import { showBuild } from '../build/show-build.ts';
import { pushBuilt, writeOutput } from '../build/write-output.ts';
import { usageError } from '../errors.ts';
import { ExitCode } from '../exit-codes.ts';
import { parseNameValues } from '../flags/name-value.ts';
import { registryOptions } from '../flags/registry.ts';
import { parseImageName } from '../image-name.ts';
import { openImage, type PullPolicy } from '../images.ts';
import type { ProgressMode } from '../render/progress.ts';
import { endWithCaller } from '../user-namespace/enter.ts';

export default class Build extends BaseCommand {
  static override summary = 'Build an image from a Dockerfile, or of a Node project';
  static override description =
    'Without a daemon. What an earlier build has done with the same input is not done again, and the same input gives the same digest on any day.';
  static override examples = [
    '<%= config.bin %> build -t app:1 .',
    '<%= config.bin %> build -f deploy/Dockerfile --target test --build-arg VERSION=2 -t app:test .',
    '<%= config.bin %> build --secret id=npmrc,src=.npmrc -t app .',
    '<%= config.bin %> build -t app https://git.example.com/team/app.git#main:server',
    '<%= config.bin %> build --provenance mode=max --sbom true -t registry.example.com/app --push .',
    '<%= config.bin %> build --cache-from registry.example.com/app:cache --cache-to type=registry,ref=registry.example.com/app:cache,mode=max,mounts=true -t app .',
    '<%= config.bin %> build --locked -t app .',
    '<%= config.bin %> build --node -t app .',
    '<%= config.bin %> build --node --platform linux/amd64,linux/arm64 -t registry.example.com/app --push .',
    '<%= config.bin %> build --node --base gcr.io/distroless/nodejs24-debian12 -t app packages/app',
  ];
  static override args = {
    context: Args.string({
      ignoreStdin: true,
      description:
        'Directory, git repository or address of an archive that COPY takes files from; - is stdin. With --node: directory of the project (default: this one)',
    }),
  };
  static override flags = buildFlags;

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Build);
    if (!flags.node) refuseNodeFlags(flags);
    if (!flags.node && args.context === undefined)
      throw usageError('the build context is missing', 'name the directory, for example `oci build .`');
    const runsNothing = flags.check || flags.call !== undefined || flags.node;
    if (process.geteuid?.() !== 0 && process.platform === 'linux' && !runsNothing)
      return this.runInNamespace(flags);
    endWithCaller();
    const { formatReference, hostPlatform, parsePlatform, parseReference } = await import('@ocijs/image');
    const outputs = (flags.output ?? []).map(parseOutput);
    const given = [...(flags.tag ?? []), ...outputs.flatMap((output) => output.names)];
    const names = [...new Set(given.map((name) => formatReference(parseReference(name))))];
    const pushes = flags.push || outputs.some(({ push }) => push);
    if (pushes && names.length === 0)
      throw usageError(
        `${flags.push ? '--push' : '--output type=registry'} needs a name`,
        'add --tag REGISTRY/NAME',
      );
    const attestations = parseAttestations(flags);
    if (flags.platform?.length === 0) throw usageError('--platform is empty');
    const platforms = flags.platform?.map((platform) => parsePlatform(platform)) ?? [hostPlatform()];
    const annotations = await parseAnnotations(flags.annotation, { platforms: platforms.length });
    const store = await this.openStore(flags);
    const { signal } = this;
    await using resources = new AsyncDisposableStack();
    const secrets = await readSecrets(flags.secret);
    const opening = { store, secrets, resources, signal };
    const location = args.context ?? '.';
    const input = flags.node ? undefined : await openInput(location, { ...opening, file: flags.file });
    const buildArgs = buildArguments(flags['build-arg']);
    const call = flags.check ? 'check' : (flags.call as Call | undefined);
    if (call !== undefined && input !== undefined) {
      const { dockerfile } = input;
      const { ignore } = input.context;
      const result = await callBuild(call, { dockerfile, ignore, given: buildArgs, target: flags.target });
      await this.print(flags, result);
      if (result.failed) process.exitCode = ExitCode.failure;
      return;
    }
    const lock = await openLock(flags, input === undefined ? location : input.directory);
    const onEvent = this.progress(flags);
    const mode = flags.quiet && flags.progress === 'auto' ? 'none' : (flags.progress as ProgressMode);
    const registry = registryOptions(flags);
    const onWarning = (message: string): void =>
      onEvent({ type: 'warning', code: 'ERR_OCI_BUILD_CACHE_INVALID', message });
    const cachePlaces = (flags['cache-from'] ?? []).map(parseCacheSource);
    const cacheTargets = (flags['cache-to'] ?? []).map(parseCacheTarget);
    const shared: ImageOptions = {
      store,
      labels: parseNameValues(flags.label, '--label'),
      squash: flags.squash,
      locked: lock.locked,
      cacheFrom: await openCaches(cachePlaces, { registry, resources, signal, onWarning }),
      cacheTo: exportedTargets(cacheTargets),
      inlineCache: cacheTargets.some(({ place }) => place === 'inline'),
      noCache: flags['no-cache'],
      created: sourceDateEpoch(),
      resolveImage: (name, { platform }) =>
        openImage(parseImageName(name), {
          openStore: async () => store,
          pull: flags.pull as PullPolicy,
          remote: 'pull',
          registry,
          platform,
          signal,
          onEvent,
        }),
      signal,
      onEvent: showBuild(mode, process.stderr),
    };
    const options: BuildOptions | BuildNodeOptions =
      input === undefined
        ? { ...shared, ...nodeOptions(location, flags) }
        : {
            ...shared,
            context: input.context,
            contexts: await openNamedContexts(flags['build-context'], opening),
            dockerfile: input.dockerfile,
            arguments: buildArgs,
            target: flags.target,
            secrets,
            agents: parseAgents(flags.ssh),
            network: flags.network as 'host' | 'none',
            allow: parseRights(flags.allow),
            onStepFailed: flags['debug-shell'] ? debugShell() : undefined,
          };
    const image = await buildImage(options, {
      platforms,
      names,
      annotations,
      attestations,
      dockerfilePath: input?.path,
    });
    await lock.update(image.platforms.flatMap(({ result }) => result.sources));
    const results = image.platforms.map(({ result }) => result);
    await writeCaches(cacheTargets, results, { store, registry, signal, onWarning });
    for (const output of outputs) await writeOutput(output, image, { registry, signal });
    const byDigest = outputs.some((output) => output.byDigest);
    for (const name of pushes ? names : [])
      await pushBuilt(image, name, { registry, signal, onEvent, byDigest });
    const { digest } = image.top;
    if (flags.iidfile !== undefined) await writeFile(flags.iidfile, digest);
    if (flags['metadata-file'] !== undefined)
      await writeFile(flags['metadata-file'], `${JSON.stringify(buildMetadata(image), null, 2)}\n`);
    if (outputs.some(({ destination }) => destination === '-')) return;
    const called = names.length === 0 ? '' : `${names.join(', ')}@`;
    await this.print(flags, { json: buildDocument(image), quiet: digest, text: `built ${called}${digest}` });
  }
}
