import { usageError } from '../errors.ts';
import type { ListedContainer } from './listing.ts';

/** One `--filter NAME=VALUE`. */
export interface ContainerFilter {
  readonly name: string;
  readonly value: string;
}

type Test = (listed: ListedContainer, value: string) => boolean;

const tests: Readonly<Record<string, Test>> = {
  name: ({ container }, value) => container.record.name.includes(value),
  id: ({ container }, value) => container.record.id.startsWith(value),
  image: ({ container }, value) => {
    const { name, digest } = container.record.image;
    return (
      name === value || digest === value || name.endsWith(`/${value}`) || name.endsWith(`/${value}:latest`)
    );
  },
  label: ({ container }, value) => {
    const { labels = {} } = container.record;
    const equals = value.indexOf('=');
    const name = equals < 0 ? value : value.slice(0, equals);
    return Object.hasOwn(labels, name) && (equals < 0 || labels[name] === value.slice(equals + 1));
  },
  status: ({ status }, value) => status.state === value,
  health: ({ health }, value) => (health?.status ?? 'none') === value,
  exited: ({ status }, value) => status.exitCode === Number(value),
  network: ({ container }, value) => container.record.network?.choice.mode === value,
};

/** Reads a filter of `ps`. Throws ERR_OCI_USAGE. */
export function parseFilter(text: string): ContainerFilter {
  const equals = text.indexOf('=');
  const name = text.slice(0, Math.max(0, equals));
  if (Object.hasOwn(tests, name)) return { name, value: text.slice(equals + 1) };
  throw usageError(
    `--filter ${JSON.stringify(text)} is unknown`,
    `filters: ${Object.keys(tests).join(', ')}`,
  );
}

/** True when, for each name that filters have, one of them matches. */
export function matchesAll(listed: ListedContainer, filters: readonly ContainerFilter[]): boolean {
  const names = new Set(filters.map(({ name }) => name));
  return [...names].every((name) =>
    filters.some((filter) => filter.name === name && tests[name]?.(listed, filter.value)),
  );
}
