/** A spelling of sizes in `slipway.yaml`, as a regular expression for editors: `512MiB`, `1.5Gi`, `2GB`. */
export const sizePattern = "^\\d{1,9}(\\.\\d{1,3})?([KMGT]iB?|[kMGT]B?|KB|B)$";

const spelling = /^(?<count>\d{1,9}(?:\.\d{1,3})?)(?<unit>[KMGT]iB?|[kMGT]B?|KB|B)$/;

const factors: Readonly<Record<string, number>> = {
  B: 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
};

/**
 * Parses a size with the units of Kubernetes (`512Mi`, `2G`) or their long forms (`512MiB`, `2GB`) as whole bytes;
 * undefined for anything else. A small `m` or `g` is refused: to Docker it means mebi, to Kubernetes milli.
 */
export function parseSize(text: string): number | undefined {
  const { count, unit = "" } = spelling.exec(text)?.groups ?? {};
  if (count === undefined) return undefined;
  const short = unit === "B" ? unit : unit.replace(/B$/, "").replace(/^K$/, "k");
  return Math.floor(Number(count) * (factors[short] ?? 1));
}

/** Formats bytes as the largest binary unit that divides them: `1.5GiB` as `1536MiB`. */
export function sizeText(bytes: number): string {
  for (const unit of ["Ti", "Gi", "Mi", "Ki"] as const) {
    const factor = factors[unit] ?? 1;
    if (bytes > 0 && bytes % factor === 0) return `${bytes / factor}${unit}B`;
  }
  return `${bytes}B`;
}
