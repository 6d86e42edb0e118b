import type { Descriptor, ImageSource, Store } from '@ocijs/image';
import { BaseCommand, type GlobalFlagValues } from './base-command.ts';
import { usageError } from './errors.ts';
import { platformFlags, wantedPlatform } from './flags/platform.ts';
import { pullFlags } from './flags/pull.ts';
import { type RegistryFlagValues, registryFlags, registryOptions } from './flags/registry.ts';
import { parseImageName } from './image-name.ts';
import { openImage, type PullPolicy } from './images.ts';

/** The flags of commands that read an image. */
export const imageFlags = { ...pullFlags, ...platformFlags, ...registryFlags };

/** Parsed {@link imageFlags}. */
export type ImageFlagValues = GlobalFlagValues &
  RegistryFlagValues & { readonly pull: string; readonly platform?: string | undefined };

/** Where an image is written to. */
export interface Destination extends AsyncDisposable {
  readonly store: Store;
  /** The name that the store gives it. */
  readonly name: string;
}

/** What commands that look into images or edit them share. */
export abstract class ImageCommand extends BaseCommand {
  /** Opens the image that an argument names. With `read`, an image in a registry is read there. */
  protected async openImage(
    text: string,
    flags: ImageFlagValues,
    remote: 'read' | 'pull' = 'pull',
  ): Promise<ImageSource> {
    return openImage(parseImageName(text), {
      openStore: () => this.openStore(flags),
      pull: flags.pull as PullPolicy,
      remote,
      registry: registryOptions(flags),
      ...(await wantedPlatform(flags.platform)),
      signal: this.signal,
      onEvent: this.progress(flags),
    });
  }

  /** The store, or the image layout, that an argument names a new image in. */
  protected async destination(text: string, flags: GlobalFlagValues): Promise<Destination> {
    const name = parseImageName(text);
    const { createLayout, formatReference, parseReference } = await import('@ocijs/image');
    if (name.transport === 'oci' && name.digest === undefined) {
      const store = await createLayout(name.directory, { signal: this.signal });
      return {
        store,
        name: name.tag ?? 'latest',
        [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
      };
    }
    if (name.transport !== 'name')
      throw usageError(`${text} cannot be the name of a new image`, 'use NAME[:TAG] or oci:DIR[:TAG]');
    const reference = parseReference(name.name);
    if (reference.digest !== undefined)
      throw usageError(`${text} has a digest`, 'leave the digest out: it follows from the image');
    // The store stays open until the command ends.
    const store = await this.openStore(flags);
    return { store, name: formatReference(reference), [Symbol.asyncDispose]: async () => undefined };
  }

  /** Says what a new image is called. */
  protected async printImage(
    flags: GlobalFlagValues,
    {
      name,
      descriptor,
      ...rest
    }: { readonly name: string; readonly descriptor: Descriptor } & Readonly<Record<string, unknown>>,
  ): Promise<void> {
    const { digest } = descriptor;
    await this.print(flags, {
      json: { reference: name, digest, ...rest },
      quiet: digest,
      text: `${name}@${digest}`,
    });
  }
}
