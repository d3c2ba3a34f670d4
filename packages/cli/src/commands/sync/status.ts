import { defineCommand, type OptionsOf } from "../../command/definition.ts";
import { exitCodes } from "../../command/exit-codes.ts";
import { outputFlag } from "../../command/flags.ts";
import type { Needs } from "../../command/needs.ts";
import { printJson } from "../../command/print-result.ts";
import { connectToAgent, socketFlag, unitArgument } from "../../resources/inside/agent-socket.ts";
import { renderTable } from "../../terminal/table.ts";

export const command = defineCommand({
  summary: "show the status of a unit and what it waits for",
  arguments: { unit: { ...unitArgument, required: true } },
  flags: { socketPath: socketFlag, output: outputFlag },
  examples: [{ line: "slipway sync status app", summary: "with its dependencies" }],
});

export async function run(
  { unit, socketPath, output }: OptionsOf<typeof command>,
  { terminal, signal }: Pick<Needs, "terminal" | "signal">,
): Promise<number> {
  using agent = await connectToAgent(socketPath, signal);
  const { status, isReady, dependencies } = await agent.status(unit, signal);
  const { out } = terminal;
  if (output === "json") {
    printJson(out, {
      unit_name: unit,
      status,
      is_ready: isReady,
      dependencies: dependencies.map(
        ({ dependsOn, requiredStatus, currentStatus, isSatisfied }) => ({
          depends_on: dependsOn,
          required_status: requiredStatus,
          current_status: currentStatus,
          is_satisfied: isSatisfied,
        }),
      ),
    });
    return exitCodes.ok;
  }
  out.line(
    `${unit} is ${status === "" ? "not registered" : status}, ${isReady ? "ready" : "waiting"}`,
  );
  const rows = dependencies.map(({ dependsOn, currentStatus }) => [
    dependsOn,
    currentStatus === "" ? "not registered" : currentStatus,
  ]);
  if (rows.length === 0) return exitCodes.ok;
  for (const line of renderTable(["WAITS FOR", "STATUS"], rows, out)) out.line(line);
  return exitCodes.ok;
}
