import { expect, test } from "vitest";

import { parseCommandLine } from "../command/parse.ts";
import { noColors } from "../terminal/colors.ts";
import { commandTable } from "./table.ts";

const definitions = await Promise.all(commandTable.commands.map(({ definition }) => definition()));
const examples = definitions.flatMap(({ name, examples: lines }) =>
  // An example may be of another command that helps with this one.
  lines.map(({ line }) => ({ of: name, line })),
);

/** The words of the part of a shell's line that calls `slipway`. */
function wordsOf(line: string): string[] {
  const [call = ""] = /slipway (?:[^|)"']|"[^"]*"|'[^']*')*/.exec(line) ?? [];
  const words = call.replace(/ < .*$/, "").match(/(?:[^\s"']|"[^"]*"|'[^']*')+/g) ?? [];
  return words.slice(1).map((word) => word.replaceAll(/["']/g, ""));
}

test.each(examples)("$line: is a command line, in the help of $of", async ({ line }) => {
  const parsed = await parseCommandLine(commandTable, wordsOf(line), {
    colors: noColors,
    columns: 100,
  });
  expect(parsed).toMatchObject({ kind: "run" });
});
