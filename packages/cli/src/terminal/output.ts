import type { Colors } from "./colors.ts";

/** Where text goes: results to one, talk to another. */
export interface Output {
  readonly colors: Colors;
  readonly isTerminal: boolean;
  /** Width in characters; undefined where nothing is wrapped or cut. */
  readonly columns: number | undefined;
  /** Writes text as it is. */
  write(text: string): void;
  /** Writes text and ends the line. */
  line(text: string): void;
}

/** A process's stream as an output. */
export function streamOutput(
  stream: NodeJS.WriteStream,
  isTerminal: boolean,
  colors: Colors,
): Output {
  return {
    colors,
    isTerminal,
    get columns() {
      return isTerminal ? stream.columns : undefined;
    },
    write: (text) => void stream.write(text),
    line: (text) => void stream.write(`${text}\n`),
  };
}
