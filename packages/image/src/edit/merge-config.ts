import type { ExecutionConfig } from '../manifest/types.ts';

type Fields = Readonly<Record<string, unknown>>;

/**
 * What containers of a rebased image start with: what the image set itself stays, what it had from its old base comes
 * from the new one. Variables, labels, ports and volumes are looked at one by one.
 */
export function mergedExecution(
  image: ExecutionConfig,
  { oldBase, newBase }: { readonly oldBase: ExecutionConfig; readonly newBase: ExecutionConfig },
): ExecutionConfig {
  const merged = mergedFields(
    { ...image, Env: undefined },
    { oldBase: { ...oldBase, Env: undefined }, newBase: { ...newBase, Env: undefined } },
  );
  const variables = mergedFields(variablesOf(image), {
    oldBase: variablesOf(oldBase),
    newBase: variablesOf(newBase),
  });
  const Env = Object.entries(variables).map(([name, value]) => `${name}=${value}`);
  return { ...merged, ...(Env.length === 0 ? {} : { Env }) };
}

function mergedFields(
  image: Fields,
  { oldBase, newBase }: { readonly oldBase: Fields; readonly newBase: Fields },
): Fields {
  const merged: Record<string, unknown> = {};
  const names = new Set([...Object.keys(newBase), ...Object.keys(image)]);
  for (const name of names) {
    const [own, old, fresh] = [image[name], oldBase[name], newBase[name]];
    const value = isSame(own, old)
      ? fresh
      : isMap(own) && (isMap(fresh) || isMap(old))
        ? mergedFields(own, { oldBase: isMap(old) ? old : {}, newBase: isMap(fresh) ? fresh : {} })
        : own;
    if (value !== undefined) merged[name] = value;
  }
  return merged;
}

function variablesOf({ Env = [] }: ExecutionConfig): Fields {
  return Object.fromEntries(
    Env.map((variable) => {
      const end = variable.indexOf('=');
      return [variable.slice(0, end), variable.slice(end + 1)];
    }),
  );
}

function isMap(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
