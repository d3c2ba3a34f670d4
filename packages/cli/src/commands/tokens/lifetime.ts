const hourSeconds = 3600;
const unitSeconds: ReadonlyMap<string, number> = new Map([
  ["s", 1],
  ["m", 60],
  ["h", hourSeconds],
  ["d", 24 * hourSeconds],
  ["y", 365 * 24 * hourSeconds],
]);

/** Seconds of a text such as `8h`, `30d` or `1d12h30m`; undefined for anything else. */
export function parseLifetime(text: string): number | undefined {
  if (!/^(?:\d{1,9}[smhdy])+$/.test(text)) return undefined;
  return [...text.matchAll(/(\d+)([smhdy])/g)].reduce(
    (sum, [, count, unit]) => sum + Number(count) * (unitSeconds.get(unit ?? "") ?? 0),
    0,
  );
}
