const dayMs = 86_400_000;
const unitsMs = { d: dayMs, h: 3_600_000, m: 60_000, s: 1_000 } as const;
const readableMs: ReadonlyMap<string, number> = new Map([
  ...Object.entries(unitsMs),
  ["y", 365 * dayMs],
  ["ms", 1],
]);

/**
 * Adds up the parts of a duration such as `1h30m`, in milliseconds: numbers with the units y (365 days), d, h, m, s
 * and ms. Ignores anything else: each syntax has its own rules for units, their order and fractions, and its reader
 * checks them first.
 */
export function durationMs(text: string): number {
  return [...text.matchAll(/(\d+(?:\.\d+)?)(ms|[ydhms])/g)].reduce(
    (sum, [, count, unit = ""]) => sum + Number(count) * (readableMs.get(unit) ?? 0),
    0,
  );
}

/** Formats milliseconds as days, hours, minutes and whole seconds, omitting zeros: `1h30m`. */
export function durationText(ms: number): string {
  let left = ms;
  let text = "";
  for (const [unit, size] of Object.entries(unitsMs)) {
    const count = Math.floor(left / size);
    left -= count * size;
    if (count > 0) text += `${count}${unit}`;
  }
  return text === "" ? "0s" : text;
}
