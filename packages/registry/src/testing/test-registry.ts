import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLayout, type Store } from '@ocijs/image';
import { type StartRegistryOptions, startRegistry } from '../server/index.ts';
import type { FaultPlan } from './fault.ts';
import { type FaultProxy, type RecordedRequest, startFaultProxy } from './fault-proxy.ts';

/** Options of {@link startTestRegistry}. */
export interface StartTestRegistryOptions
  extends Pick<
    StartRegistryOptions,
    'auth' | 'directory' | 'limits' | 'onError' | 'readOnly' | 'requireContent' | 'store' | 'tls'
  > {
  /** What goes wrong; can be replaced later. Default: nothing. */
  readonly plan?: FaultPlan | undefined;
}

/** A registry that does wrong what it is told to. */
export interface TestRegistry extends FaultProxy {
  /** What it serves; closed with it unless it was given. */
  readonly store: Store;
  /** The other host, to which a `redirect` leads. */
  readonly elsewhere: {
    readonly host: string;
    /** What was asked of it, `Authorization` headers included. */
    readonly requests: readonly RecordedRequest[];
  };
}

/**
 * Starts a registry for tests on a free port of 127.0.0.1: the embedded one, and before it a proxy that does wrong what the
 * plan says. Without `store` and `directory` it serves an empty layout in a temporary directory, which is removed when it
 * is closed. Rejects as {@link startRegistry} does.
 */
export async function startTestRegistry(options: StartTestRegistryOptions = {}): Promise<TestRegistry> {
  const { plan, tls, auth, store: given, directory, ...rest } = options;
  await using resources = new AsyncDisposableStack();
  const store =
    given ?? resources.use(await createLayout(directory ?? (await temporaryDirectory(resources))));
  const registry = resources.use(await startRegistry({ ...rest, store, ...(auth && { auth }) }));
  const open = resources.use(await startRegistry({ ...rest, store }));
  const other = resources.use(await startFaultProxy(open.url, { tls }));
  // Another name as well as another port, but where certificates are checked.
  const elsewhere = tls === undefined ? other.url.replace('127.0.0.1', 'localhost') : other.url;
  const proxy = resources.use(await startFaultProxy(registry.url, { plan, tls, elsewhere }));
  const owned = resources.move();
  const close = (): Promise<void> => owned.disposeAsync();
  return Object.assign(proxy, {
    store,
    elsewhere: { host: new URL(elsewhere).host, requests: other.requests },
    close,
    [Symbol.asyncDispose]: close,
  });
}

async function temporaryDirectory(resources: AsyncDisposableStack): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'oci-test-registry-'));
  resources.defer(() => rm(path, { recursive: true, force: true }));
  return join(path, 'layout');
}
