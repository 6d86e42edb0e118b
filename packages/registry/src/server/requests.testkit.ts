import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { MediaType } from '@ocijs/image';
import type { RunningRegistry } from './index.ts';

/** The digest of bytes. */
export const sha256 = (bytes: Uint8Array): string =>
  `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

/** Pushes a blob in one request. */
export async function upload(
  registry: RunningRegistry,
  repository: string,
  bytes: Uint8Array,
): Promise<string> {
  const digest = sha256(bytes);
  const answer = await fetch(`${registry.url}/v2/${repository}/blobs/uploads/?digest=${digest}`, {
    method: 'POST',
    body: Buffer.from(bytes),
  });
  assert.equal(answer.status, 201);
  return digest;
}

/** What a pushed image is made of. */
export interface ImageParts {
  readonly subject?: object;
  readonly artifactType?: string;
  readonly layers?: readonly Uint8Array[];
}

/** What {@link pushImage} pushed, and the registry's answer. */
export interface PushedImage {
  readonly answer: Response;
  readonly manifest: Buffer<ArrayBuffer>;
  readonly descriptor: { readonly mediaType: string; readonly digest: string; readonly size: number };
}

/** Pushes a small image. */
export async function pushImage(
  registry: RunningRegistry,
  name: readonly [string, string],
  parts: ImageParts = {},
): Promise<PushedImage> {
  const [repository, reference] = name;
  const config = Buffer.from(
    '{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}',
  );
  const layers = [];
  for (const layer of parts.layers ?? []) {
    layers.push({
      mediaType: MediaType.layer,
      digest: await upload(registry, repository, layer),
      size: layer.length,
    });
  }
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MediaType.manifest,
      ...(parts.artifactType && { artifactType: parts.artifactType }),
      config: {
        mediaType: MediaType.config,
        digest: await upload(registry, repository, config),
        size: config.length,
      },
      layers,
      ...(parts.subject && { subject: parts.subject }),
      annotations: { reference },
    }),
  );
  const answer = await fetch(`${registry.url}/v2/${repository}/manifests/${reference}`, {
    method: 'PUT',
    body: manifest,
    headers: { 'content-type': MediaType.manifest },
  });
  return {
    answer,
    manifest,
    descriptor: { mediaType: MediaType.manifest, digest: sha256(manifest), size: manifest.length },
  };
}

/** The code in an error body. */
export async function errorCode(answer: Response): Promise<string> {
  const { errors } = (await answer.json()) as { errors: { code: string }[] };
  return errors[0]?.code ?? '';
}
