/** A field that is not the same in two documents. */
export interface FieldDifference {
  /** `config.Env`, `created`. */
  readonly field: string;
  readonly a?: unknown;
  readonly b?: unknown;
}

/** Compares two documents field by field, objects in depth, lists as a whole. What follows from the layers is left out. */
export function differingFields(a: object, b: object, prefix = ''): readonly FieldDifference[] {
  const [left, right] = [a as Readonly<Record<string, unknown>>, b as Readonly<Record<string, unknown>>];
  const names = [...new Set([...Object.keys(left), ...Object.keys(right)])].sort();
  return names.flatMap((name) => {
    const field = prefix === '' ? name : `${prefix}.${name}`;
    const [one, other] = [left[name], right[name]];
    if (field === 'rootfs' || JSON.stringify(one) === JSON.stringify(other)) return [];
    if (isObject(one) && isObject(other)) return differingFields(one, other, field);
    return [
      { field, ...(one === undefined ? {} : { a: one }), ...(other === undefined ? {} : { b: other }) },
    ];
  });
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
