import { CommandError } from "../../command/errors.ts";

/** The lines around our part of an SSH configuration. */
export const sectionMarkers = {
  start: "# >>> slipway config-ssh >>>",
  end: "# <<< slipway config-ssh <<<",
} as const;

/** Our part of a configuration: the numbers of its first and last line, from 0. */
interface Section {
  readonly first: number;
  readonly last: number;
}

/**
 * Returns a configuration with `lines` as our part, which is added at the end if there is none; undefined removes it. All
 * other lines stay as they are. Throws `CommandError` where the markers leave open which lines are ours.
 */
export function replaceSection(text: string, lines: readonly string[] | undefined): string {
  const all = text.split("\n");
  const section = findSection(all);
  const ours = lines === undefined ? [] : [sectionMarkers.start, ...lines, sectionMarkers.end];
  if (section !== undefined) {
    return all.toSpliced(section.first, section.last - section.first + 1, ...ours).join("\n");
  }
  if (ours.length === 0) return text;
  const before = text === "" || text.endsWith("\n") ? text : `${text}\n`;
  return `${before}${ours.join("\n")}\n`;
}

function findSection(lines: readonly string[]): Section | undefined {
  const starts = linesThatAre(sectionMarkers.start, lines);
  const ends = linesThatAre(sectionMarkers.end, lines);
  const [first, secondStart] = starts;
  const [last, secondEnd] = ends;
  if (first === undefined && last === undefined) return undefined;
  if (first === undefined) throw broken(last, "a section of slipway ends that does not begin");
  if (secondStart !== undefined) throw broken(secondStart, "a second section of slipway begins");
  if (last === undefined) throw broken(first, "the section of slipway does not end");
  if (secondEnd !== undefined) throw broken(secondEnd, "a second section of slipway ends");
  if (last < first) throw broken(last, "the section of slipway ends before it begins");
  return { first, last };
}

function linesThatAre(marker: string, lines: readonly string[]): readonly number[] {
  return lines.flatMap((line, index) => (line.trim() === marker ? [index] : []));
}

function broken(index: number | undefined, problem: string): CommandError {
  return new CommandError(`line ${(index ?? 0) + 1}: ${problem}`, {
    hint: `delete the lines between "${sectionMarkers.start}" and "${sectionMarkers.end}", and both of these`,
  });
}
