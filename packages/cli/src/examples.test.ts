import { readdirSync, readFileSync } from "node:fs";

import { expect, it } from "vitest";

import { parseCommandLine } from "./command/parse.ts";
import { commandTable } from "./gen/command-table.ts";
import { noColors } from "./terminal/colors.ts";

const examples = await Promise.all(
  commandTable.commands.map(async ({ name, definition }) =>
    // An example may use another command that supports this one.
    (await definition()).examples.map(({ line }) => ({ of: name, line })),
  ),
);

const root = new URL("../../../", import.meta.url);
const documents = [
  "README.md",
  ...readdirSync(new URL("docs/", root)).map((name) => `docs/${name}`),
];
const documented = documents
  .filter((name) => name.endsWith(".md"))
  .flatMap((name) =>
    commandsOf(readFileSync(new URL(name, root), "utf8")).map((line) => ({ of: name, line })),
  );

/** The `slipway` calls in a document's code blocks, without comments. */
function commandsOf(text: string): string[] {
  const blocks = [...text.matchAll(/^```(\w*)\n(.*?)^```$/gms)]
    .filter(([, language = ""]) => ["", "sh"].includes(language))
    .map(([, , block = ""]) => block);
  return blocks
    .flatMap((block) => block.split("\n"))
    .map((line) => line.replace(/ {2,}\S.*$| #.*$/, ""))
    .filter((line) => /^(?:[A-Z_]+=\S+ )*slipway /.test(line));
}

/** The words of the part of a shell line that calls `slipway`. */
function wordsOf(line: string): string[] {
  const [call = ""] = /slipway (?:[^|)"']|"[^"]*"|'[^']*')*/.exec(line) ?? [];
  const words = call.replace(/ < .*$/, "").match(/(?:[^\s"']|"[^"]*"|'[^']*')+/g) ?? [];
  return words.slice(1).map((word) => word.replaceAll(/["']/g, ""));
}

it.each([...examples.flat(), ...documented])(
  "$line: is a command line, in $of",
  async ({ line }) => {
    const parsed = await parseCommandLine(commandTable, wordsOf(line), {
      colors: noColors,
      columns: 100,
    });
    expect(parsed).toMatchObject({ kind: "run" });
  },
);
