/** The maximum difference between the clocks of a cloud and of this machine. */
const leewayMs = 60_000;

export function isPast(timeMs: number, nowMs: number): boolean {
  return nowMs > timeMs + leewayMs;
}

export function isFuture(timeMs: number, nowMs: number): boolean {
  return nowMs < timeMs - leewayMs;
}

/**
 * Parses a time in Azure's format, `11/28/18 06:16:17 -0000`, or ISO 8601, into milliseconds since the epoch; undefined
 * for anything else.
 */
export function parseAzureTime(text: string): number | undefined {
  const found = spelling.exec(text);
  const time = Date.parse(
    found === null
      ? text
      : `${found[3]?.length === 2 ? "20" : ""}${found[3]}-${found[1]}-${found[2]}T${found[4]}${found[5]}:${found[6]}`,
  );
  const isIso = found === null && /^\d{4}-\d\d-\d\dT/.test(text);
  return Number.isNaN(time) || (found === null && !isIso) ? undefined : time;
}

const spelling = /^(\d\d)\/(\d\d)\/(\d\d|\d{4}) (\d\d:\d\d:\d\d) ([+-]\d\d)(\d\d)$/;
