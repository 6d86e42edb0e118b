import { type Descriptor, type ReadableContent, type Reference, verifiedStream } from '@ocijs/image';
import { getBlob } from '../blobs.ts';
import { isOfSource, type PullSource, passedOver, sourceSession, trustedSources } from '../config/sources.ts';
import { RegistryError } from '../errors.ts';
import type { RegistryOptions } from '../options.ts';
import { remoteContent } from '../remote-image.ts';
import type { Resolved } from '../resolve.ts';
import type { Session } from '../session.ts';

/** A registry or mirror that an image is copied from. */
export interface RemotePlace {
  /** The name there. */
  readonly reference: Reference;
  readonly repository: string;
  readonly session: Session;
  readonly isMirror: boolean;
}

/** The mirrors of a registry and the registry, of which one is used until it fails. */
export interface RemotePlaces extends AsyncDisposable {
  readonly place: RemotePlace;
  /** Goes on to the next place for good; false when there is none, or when it is not the place that failed. */
  passOver(place: RemotePlace, error: unknown): boolean;
}

/** Finds the places where a reference can be read. Throws what the configuration is good for. */
export async function openPlaces(reference: Reference, options: RegistryOptions): Promise<RemotePlaces> {
  const sources = await trustedSources(reference, options);
  const stack = new AsyncDisposableStack();
  const open = (source: PullSource): RemotePlace => ({
    reference: source.reference,
    repository: source.reference.repository,
    session: stack.use(sourceSession(source)),
    isMirror: source.isMirror,
  });
  const rest = sources.values();
  const next = (): RemotePlace | undefined => {
    const { value, done } = rest.next();
    return done ? undefined : open(value);
  };
  let place = next();
  if (place === undefined) throw new Error('unreachable: there is always a source');
  let current = place;
  return {
    get place() {
      return current;
    },
    passOver(failed, error) {
      if (options.signal?.aborted || !isOfSource(error)) return false;
      // Several blobs fail at one place at the same time; only the first one leaves it.
      if (failed !== current) return true;
      place = next();
      if (place === undefined) return false;
      current = place;
      passedOver(failed, { error, onEvent: options.onEvent });
      return true;
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

/** Does work at the current place, and at the next ones while it fails. */
export async function atPlaces<T>(
  places: RemotePlaces,
  work: (place: RemotePlace) => Promise<T>,
): Promise<T> {
  for (;;) {
    const { place } = places;
    try {
      return await work(place);
    } catch (error) {
      if (!places.passOver(place, error)) throw error;
    }
  }
}

/** What a copy reads: from the current place, going on at the next one where that breaks off. */
export interface PlacesContent extends ReadableContent {
  /** True for the error of a read whose repetition goes to another place. */
  isWorthRepeating(error: unknown): boolean;
}

/** Reads the blobs and manifests of an image from its places. */
export function placesContent(places: RemotePlaces, resolved: Resolved): PlacesContent {
  const repeatable = new WeakSet<object>();
  return {
    read: (descriptor, { signal } = {}) => readOn(places, { descriptor, signal, repeatable }),
    readAll: (descriptor, options) =>
      atPlaces(places, ({ session, repository }) =>
        remoteContent(session, { repository, resolved }).readAll(descriptor, options),
      ),
    isWorthRepeating: (error) => typeof error === 'object' && error !== null && repeatable.has(error),
  };
}

interface ReadRequest {
  readonly descriptor: Descriptor;
  readonly signal: AbortSignal | undefined;
  /** Receives errors of bytes that have gone out already, so that only a whole repetition helps. */
  readonly repeatable: WeakSet<object>;
}

async function* readOn(places: RemotePlaces, request: ReadRequest): AsyncGenerator<Uint8Array> {
  const { descriptor, signal, repeatable } = request;
  const { digest, size } = descriptor;
  const { place } = places;
  try {
    // What comes from several places is checked as a whole.
    yield* verifiedStream(concatenated(places, request), {
      digest,
      size,
      ...(signal === undefined ? {} : { signal }),
    });
  } catch (error) {
    if (places.place !== place && isOfSource(error)) repeatable.add(error);
    throw error;
  }
}

async function* concatenated(
  places: RemotePlaces,
  { descriptor, signal }: ReadRequest,
): AsyncGenerator<Uint8Array> {
  let sent = 0;
  for (;;) {
    const { place } = places;
    const { session, repository } = place;
    let skip = sent;
    try {
      for await (const chunk of getBlob(session, { repository, descriptor, signal })) {
        const fresh = chunk.subarray(Math.min(skip, chunk.length));
        skip -= chunk.length - fresh.length;
        sent += fresh.length;
        if (fresh.length > 0) yield fresh;
      }
      return;
    } catch (error) {
      if (!places.passOver(place, error)) throw error;
      // After wrong bytes nothing that follows can make it right.
      if (sent > 0 && !(error instanceof RegistryError)) throw error;
    }
  }
}
