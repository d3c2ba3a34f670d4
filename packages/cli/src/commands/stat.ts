import { homeDirectory } from "@slipway/runtime/home-directory";

import { defineCommand, type OptionsOf } from "../command/definition.ts";
import { exitCodes } from "../command/exit-codes.ts";
import { columnFlag, outputFlag } from "../command/flags.ts";
import type { Needs } from "../command/needs.ts";
import { printJson } from "../command/print-result.ts";
import { renderTable } from "../terminal/table.ts";
import { quantityText } from "./stat/quantity.ts";
import { containerCpu, containerMemory, disk, hostCpu, hostMemory } from "./stat/usage.ts";

export const command = defineCommand({
  summary: "show resource usage of this machine and container",
  description:
    "Show processor, memory and disk usage of this machine, and of the container if it runs in one. Intended for " +
    "workspace metadata, such as slipway stat mem.",
  arguments: {},
  flags: {
    column: columnFlag([
      "host cpu",
      "host memory",
      "home disk",
      "container cpu",
      "container memory",
    ]),
    output: outputFlag,
  },
  examples: [
    { line: "slipway stat", summary: "show everything" },
    { line: "slipway stat -c 'host cpu' -o json", summary: "as JSON, in cores and bytes" },
  ],
});

export async function run(
  options: OptionsOf<typeof command>,
  {
    terminal,
    environment,
    clock,
    signal,
  }: Pick<Needs, "terminal" | "environment" | "clock" | "signal">,
): Promise<number> {
  const needs = { clock, signal };
  const [host, container] = await Promise.all([hostCpu(needs), containerCpu("/", needs)]);
  const measured = {
    "host cpu": host,
    "host memory": hostMemory(),
    "home disk": await disk(homeDirectory(environment)),
    "container cpu": container,
    "container memory": await containerMemory("/"),
  };
  if (options.output === "json") {
    // The names of columns equal those of the fields, as `coder` prints them.
    const fields = Object.entries(measured).map(([name, quantity]) => [
      name.replace(" ", "_"),
      quantity,
    ]);
    printJson(terminal.out, [Object.fromEntries(fields)]);
    return exitCodes.ok;
  }
  const cells = options.column.map((name) => {
    const quantity = measured[name];
    return quantity === null ? "-" : quantityText(quantity, "Gi");
  });
  const headings = options.column.map((name) => name.toUpperCase());
  for (const line of renderTable(headings, [cells], terminal.out)) terminal.out.line(line);
  return exitCodes.ok;
}
