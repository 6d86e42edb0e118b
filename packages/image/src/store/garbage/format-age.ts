const steps = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1000],
] as const;

/** A time span in the largest unit that it is a whole number of, a day in hours: `24 h`, `90 s`, `3 d`. */
export function formatAge(milliseconds: number): string {
  for (const [unit, length] of steps)
    if (milliseconds >= length * (unit === 'd' ? 2 : 1) && milliseconds % length === 0)
      return `${milliseconds / length} ${unit}`;
  return `${milliseconds} ms`;
}
