/** A line: its leading blanks, its text, its trailing blanks and its ending. */
export interface Line {
  readonly lead: string;
  readonly text: string;
  readonly trail: string;
  /** `\n`, `\r\n`, or nothing at the end of the text. */
  readonly ending: string;
}

/** Splits a text into its lines; an ending at its end begins no other line. */
export function splitLines(text: string): readonly Line[] {
  const lines = text.split("\n");
  const hasEnd = lines.at(-1) === "";
  const whole = hasEnd ? lines.slice(0, -1) : lines;
  return whole.map((raw, index) => {
    const isEnded = hasEnd || index < whole.length - 1;
    const isCarriage = isEnded && raw.endsWith("\r");
    const line = isCarriage ? raw.slice(0, -1) : raw;
    return splitBlanks(line, isEnded ? (isCarriage ? "\r\n" : "\n") : "");
  });
}

function splitBlanks(line: string, ending: string): Line {
  const lead = /^[ \t]*/.exec(line)?.[0] ?? "";
  let end = line.length;
  while (end > lead.length && " \t".includes(line[end - 1] ?? "")) end -= 1;
  return { lead, text: line.slice(lead.length, end), trail: line.slice(end), ending };
}

interface IndentContext {
  /** The lines of the file that were matched, and all of them. */
  readonly found: readonly Line[];
  readonly all: readonly Line[];
  /** The lines of the edit. */
  readonly wanted: readonly Line[];
  readonly replaced: readonly Line[];
}

/** Translates the indent of an edit's line to the unit of the file, from the level of the first matched line. */
export function translateIndent(
  lead: string,
  { found, all, wanted, replaced }: IndentContext,
): string {
  const [first, searched] = [found.find(hasText), wanted.find(hasText)];
  if (first === undefined || searched === undefined) return lead;
  const editUnit = unitOf([...wanted, ...replaced]);
  const fileUnit = unitOf(found) ?? unitOf(all) ?? editUnit;
  if (editUnit === undefined || fileUnit === undefined) return lead;
  const levels = levelOf(lead, editUnit) - levelOf(searched.lead, editUnit);
  const wantedLevel = Math.max(0, levelOf(first.lead, fileUnit) + levels);
  return fileUnit.repeat(wantedLevel);
}

function hasText({ text }: Line): boolean {
  return text !== "";
}

/** Returns the unit of indentation: a tab, or the number of blanks that divides most leads; undefined if none has one. */
function unitOf(lines: readonly Line[]): string | undefined {
  const leads = lines.filter(hasText).map(({ lead }) => lead);
  const indented = leads.filter((lead) => lead !== "");
  if (indented.length === 0) return undefined;
  const tabs = indented.filter((lead) => lead.startsWith("\t")).length;
  if (tabs * 2 > indented.length) return "\t";
  const widths = indented.filter((lead) => !lead.includes("\t")).map((lead) => lead.length);
  const width = widths.reduce(greatestDivisor, 0);
  return width === 0 ? "\t" : " ".repeat(width);
}

function greatestDivisor(one: number, other: number): number {
  return other === 0 ? one : greatestDivisor(other, one % other);
}

function levelOf(lead: string, unit: string): number {
  if (unit === "\t") return lead.startsWith(" ") ? 0 : lead.length;
  return Math.round(lead.replaceAll("\t", unit).length / unit.length);
}
