import picocolors from "picocolors";

/** Ways to set text off; each leaves it as it is where there are no colours. */
export interface Colors {
  /** Whether there are colours: of ours, and of others in their logs. */
  readonly enabled: boolean;
  readonly bold: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly red: (text: string) => string;
  readonly green: (text: string) => string;
  readonly yellow: (text: string) => string;
  readonly cyan: (text: string) => string;
}

/** What decides about colours, of the environment. */
interface ColorVariables {
  readonly NO_COLOR?: string | undefined;
  readonly FORCE_COLOR?: string | undefined;
  readonly TERM?: string | undefined;
}

export const noColors: Colors = createColors(false);

/** Colours on a terminal only; `NO_COLOR` and a dumb terminal have none, `FORCE_COLOR` has them everywhere. */
export function colorsFor(isTerminal: boolean, variables: ColorVariables): Colors {
  const { NO_COLOR, FORCE_COLOR, TERM } = variables;
  if (NO_COLOR !== undefined && NO_COLOR !== "") return noColors;
  const forced = FORCE_COLOR !== undefined && FORCE_COLOR !== "" && FORCE_COLOR !== "0";
  return createColors(forced || (isTerminal && TERM !== "dumb"));
}

function createColors(enabled: boolean): Colors {
  return { ...picocolors.createColors(enabled), enabled };
}
