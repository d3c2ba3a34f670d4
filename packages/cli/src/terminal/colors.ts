import { printableText } from "@slipway/runtime";
import picocolors from "picocolors";

/** Text styles; without colors, each returns its text unchanged. */
export interface Colors {
  /** True if colors are on: our own, and those in the logs of others. */
  readonly enabled: boolean;
  readonly bold: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly red: (text: string) => string;
  readonly green: (text: string) => string;
  readonly yellow: (text: string) => string;
  readonly cyan: (text: string) => string;
}

/** Environment variables that control colors. */
interface ColorVariables {
  readonly NO_COLOR?: string | undefined;
  readonly FORCE_COLOR?: string | undefined;
  readonly TERM?: string | undefined;
}

export const noColors: Colors = createColors(false);

/** Returns colors only on a terminal; `NO_COLOR` and a dumb terminal have none, `FORCE_COLOR` enables them anywhere. */
export function colorsFor(isTerminal: boolean, variables: ColorVariables): Colors {
  const { NO_COLOR, FORCE_COLOR, TERM } = variables;
  if (NO_COLOR !== undefined && NO_COLOR !== "") return noColors;
  const forced = FORCE_COLOR !== undefined && FORCE_COLOR !== "" && FORCE_COLOR !== "0";
  return createColors(forced || (isTerminal && TERM !== "dumb"));
}

function createColors(enabled: boolean): Colors {
  return { ...picocolors.createColors(enabled), enabled };
}

/** Returns a line of a unified diff in color; the line itself has none. */
export function diffLine(line: string, colors: Colors): string {
  const text = printableText(line, { colors: false });
  if (/^(\+\+\+|---) /.test(text)) return colors.bold(text);
  if (text.startsWith("@@")) return colors.dim(text);
  if (text.startsWith("+")) return colors.green(text);
  return text.startsWith("-") ? colors.red(text) : text;
}
