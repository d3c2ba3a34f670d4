import { defineCommand, type OptionsOf } from "../../command/definition.ts";
import { exitCodes } from "../../command/exit-codes.ts";
import { outputFlag } from "../../command/flags.ts";
import type { Needs } from "../../command/needs.ts";
import { printJson } from "../../command/print-result.ts";
import { connectToAgent, socketFlag } from "../../resources/inside/agent-socket.ts";
import { renderTable } from "../../terminal/table.ts";

export const command = defineCommand({
  summary: "list the units of the workspace",
  aliases: ["ls"],
  arguments: {},
  flags: { socketPath: socketFlag, output: outputFlag },
  examples: [{ line: "slipway sync list", summary: "with their statuses" }],
});

export async function run(
  { socketPath, output }: OptionsOf<typeof command>,
  { terminal, signal }: Pick<Needs, "terminal" | "signal">,
): Promise<number> {
  using agent = await connectToAgent(socketPath, signal);
  const units = await agent.list(signal);
  const { out, err } = terminal;
  if (output === "json") {
    printJson(
      out,
      units.map(({ unit, status, isReady }) => ({ unit_name: unit, status, is_ready: isReady })),
    );
    return exitCodes.ok;
  }
  if (units.length === 0) {
    err.line("no units");
    return exitCodes.ok;
  }
  const rows = units.map(({ unit, status, isReady }) => [unit, status, isReady ? "yes" : "no"]);
  for (const line of renderTable(["UNIT", "STATUS", "READY"], rows, out)) out.line(line);
  return exitCodes.ok;
}
