import type { Output } from "../terminal/output.ts";
import type { Explanation } from "./explain.ts";

/** Prints an error and the suggested next step. */
export function printError(err: Output, { text, hint }: Pick<Explanation, "text" | "hint">): void {
  if (text !== undefined) err.line(`${err.colors.red("error:")} ${text}`);
  if (hint !== undefined) err.line(hint);
}
