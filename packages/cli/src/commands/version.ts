import { arch, platform } from "node:os";

import { defineCommand, type OptionsOf } from "../command/definition.ts";
import { exitCodes } from "../command/exit-codes.ts";
import { outputFlag } from "../command/flags.ts";
import type { Needs } from "../command/needs.ts";
import { printJson } from "../command/print-result.ts";
import { packageVersion } from "../config/own-package.ts";

export const command = defineCommand({
  summary: "show the version of this program",
  arguments: {},
  flags: { output: outputFlag },
  examples: [
    { line: "slipway version", summary: "as text" },
    { line: "slipway version -o json", summary: "as JSON" },
  ],
});

export async function run(
  { output }: OptionsOf<typeof command>,
  { terminal }: Pick<Needs, "terminal">,
): Promise<number> {
  const version = `v${packageVersion}`;
  if (output === "json") {
    printJson(terminal.out, { version, node: process.version, platform: platform(), arch: arch() });
  } else {
    terminal.out.line(`slipway ${version} (node ${process.version}, ${platform()}/${arch()})`);
  }
  return exitCodes.ok;
}
