import { readFile } from 'node:fs/promises';
import type { RegistryAuth, RegistryTls } from '@ocijs/registry/server';
import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../base-command.ts';
import { CliError, usageError } from '../errors.ts';
import { describeFailure } from '../render/failure.ts';
import { writeJson } from '../render/json.ts';

export default class Serve extends BaseCommand {
  static override summary = 'Serve the store, or any OCI layout, as a registry';
  static override description =
    'Speaks plain HTTP unless a certificate is given. Names of the layout are pullable as they are and without their registry host; plain tags belong to a repository called like the directory. Ends with success on SIGINT and SIGTERM.';
  static override examples = [
    '<%= config.bin %> serve',
    '<%= config.bin %> serve ./layout --listen 127.0.0.1:5000',
    '<%= config.bin %> serve --creds anna:secret --auth token --anonymous-pull',
    '<%= config.bin %> serve --listen :443 --tls-cert cert.pem --tls-key key.pem',
  ];
  static override args = {
    directory: Args.string({ ignoreStdin: true, description: 'OCI layout (default: the store)' }),
  };
  static override flags = {
    listen: Flags.string({ default: '127.0.0.1:0', helpValue: 'ADDR', summary: 'HOST:PORT, :PORT or HOST' }),
    'read-only': Flags.boolean({ default: false, summary: 'Refuse every change' }),
    'require-content': Flags.boolean({
      default: false,
      summary: 'Refuse manifests whose blobs or manifests are not there',
    }),
    creds: Flags.string({ helpValue: 'USER:PASS', summary: 'Ask clients for these credentials' }),
    auth: Flags.option({
      options: ['basic', 'token'] as const,
      default: 'basic',
      summary: 'How clients show --creds: with each request, or to a token service',
    })(),
    'anonymous-pull': Flags.boolean({
      default: false,
      summary: 'With --auth token: anybody may pull',
    }),
    'tls-cert': Flags.string({ helpValue: 'FILE', summary: 'Speak HTTPS with this certificate (PEM)' }),
    'tls-key': Flags.string({ helpValue: 'FILE', summary: 'The key of --tls-cert (PEM)' }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Serve);
    const { startRegistry } = await import('@ocijs/registry/server');
    const auth = authOf(flags);
    const tls = await tlsOf(flags);
    const isVerbose = flags['log-level'] === 'info' || flags['log-level'] === 'debug';
    const registry = await startRegistry({
      ...(args.directory === undefined
        ? { store: await this.openStore(flags) }
        : { directory: args.directory }),
      ...parseListen(flags.listen),
      readOnly: flags['read-only'],
      requireContent: flags['require-content'],
      onError: (error) => process.stderr.write(`error: ${describeFailure(error).message}\n`),
      ...(auth === undefined ? {} : { auth }),
      ...(tls === undefined ? {} : { tls }),
      ...(isVerbose
        ? { onRequest: ({ method, path, status }) => process.stderr.write(`${status} ${method} ${path}\n`) }
        : {}),
    }).catch((cause: unknown) => {
      throw isListenError(cause) ? cannotListen(flags.listen, cause) : cause;
    });
    try {
      const { url, host, port } = registry;
      if (flags.json) await writeJson({ url, host, port });
      else process.stdout.write(`${flags.quiet ? url : `listening on ${url}`}\n`);
      await aborted(this.signal);
    } finally {
      await registry.close();
    }
  }
}

interface AuthFlags {
  readonly creds?: string | undefined;
  readonly auth: 'basic' | 'token';
  readonly 'anonymous-pull': boolean;
}

function authOf({ creds, auth, 'anonymous-pull': anonymousPull }: AuthFlags): RegistryAuth | undefined {
  if (anonymousPull && auth === 'basic') throw usageError('--anonymous-pull needs --auth token');
  if (creds === undefined) {
    if (auth === 'token') throw usageError('--auth token needs --creds');
    return undefined;
  }
  const colon = creds.indexOf(':');
  if (colon < 0) throw usageError('--creds is not USER:PASS');
  const account = { username: creds.slice(0, colon), password: creds.slice(colon + 1) };
  return auth === 'basic' ? { type: 'basic', ...account } : { type: 'bearer', ...account, anonymousPull };
}

async function tlsOf({
  'tls-cert': certificate,
  'tls-key': key,
}: {
  readonly 'tls-cert'?: string | undefined;
  readonly 'tls-key'?: string | undefined;
}): Promise<RegistryTls | undefined> {
  if (certificate === undefined && key === undefined) return undefined;
  if (certificate === undefined || key === undefined)
    throw usageError('--tls-cert and --tls-key belong together');
  return { certificate: await readFile(certificate), key: await readFile(key) };
}

function isListenError(error: unknown): error is NodeJS.ErrnoException {
  return (
    error instanceof Error &&
    'syscall' in error &&
    (error.syscall === 'listen' || error.syscall === 'getaddrinfo')
  );
}

const reasons: Readonly<Record<string, string>> = {
  EADDRINUSE: 'the port is in use',
  EADDRNOTAVAIL: 'this machine does not have that address',
  ENOTFOUND: 'there is no such host',
  EACCES: 'ports below 1024 are for root',
};

function cannotListen(address: string, cause: NodeJS.ErrnoException): CliError {
  const isTaken = cause.code === 'EADDRINUSE';
  return new CliError(
    'ERR_OCI_LISTEN_FAILED',
    `cannot listen on ${address}: ${reasons[cause.code ?? ''] ?? cause.code}`,
    {
      cause,
      hint: isTaken
        ? 'another program listens there; choose another port, or :0 for any'
        : 'choose another --listen',
    },
  );
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

/** `HOST:PORT`, `:PORT`, `PORT` or `HOST`; an IPv6 address stands in brackets. */
export function parseListen(text: string): { host?: string; port?: number } {
  const match = /^(?:(\[[0-9a-fA-F:.]+\]|[a-zA-Z0-9.-]*):)?(\d{1,5})$/.exec(text);
  if (match === null && /^(?:\[[0-9a-fA-F:.]+\]|[a-zA-Z0-9.-]+)$/.test(text)) return { host: bare(text) };
  const port = Number(match?.[2]);
  if (match === null || port > 65_535) throw usageError(`--listen ${JSON.stringify(text)} is not HOST:PORT`);
  const host = match[1] ?? '';
  return { port, ...(host === '' ? {} : { host: bare(host) }) };
}

function bare(host: string): string {
  return host.replace(/^\[(.*)\]$/, '$1');
}
