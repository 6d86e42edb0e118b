import type { ImageConfig } from '@ocijs/image';

/**
 * Annotation names that a runtime takes as orders (systemd properties, hooks, handlers, checkpoint
 * configuration). A label of an image, which anyone can write, must not become one.
 */
const orders: readonly string[] = [
  'dev.gvisor.',
  'io.container.manager',
  'io.containerd.',
  'io.katacontainers.',
  'io.kubernetes.cri',
  'module.wasm.',
  'org.criu.',
  'org.opencontainers.runtime-tools',
  'org.systemd.property.',
  'run.oci.',
];

function isOrder(name: string): boolean {
  return orders.some((prefix) => name.startsWith(prefix));
}

/** Labels of an image without those that a runtime would obey. */
export function harmlessLabels(labels: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(labels).filter(([name]) => !isOrder(name)));
}

function byCodePoint(left: string, right: string): number {
  return left < right ? -1 : Number(left > right);
}

/**
 * The annotations that image-spec `conversion.md` gives to a container of an image. Fields that the image
 * does not set give none; a label of the same name wins over a field.
 */
export function imageAnnotations(image: ImageConfig): Record<string, string> {
  const config = image.config ?? {};
  const fields: Record<string, string | undefined> = {
    os: image.os,
    architecture: image.architecture,
    variant: image.variant,
    'os.version': image['os.version'],
    'os.features': image['os.features']?.join(','),
    author: image.author,
    created: image.created,
    stopSignal: config.StopSignal,
    exposedPorts: Object.keys(config.ExposedPorts ?? {})
      .sort(byCodePoint)
      .join(','),
  };
  const annotations: Record<string, string> = {};
  for (const [name, value] of Object.entries(fields)) {
    if (value !== undefined && value !== '') annotations[`org.opencontainers.image.${name}`] = value;
  }
  return { ...annotations, ...harmlessLabels(config.Labels ?? {}) };
}
