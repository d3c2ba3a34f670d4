import { defineCommand, type OptionsOf } from "../../command/definition.ts";
import { exitCodes } from "../../command/exit-codes.ts";
import type { Needs } from "../../command/needs.ts";
import { connectToAgent, socketFlag, unitArgument } from "../../resources/inside/agent-socket.ts";

export const command = defineCommand({
  summary: "declare that a unit waits for others to complete",
  arguments: {
    unit: { ...unitArgument, required: true },
    dependencies: { summary: "units that it waits for", required: true, variadic: true },
  },
  flags: { socketPath: socketFlag },
  examples: [{ line: "slipway sync want app database cache", summary: "app waits for both" }],
});

export async function run(
  { unit, dependencies, socketPath }: OptionsOf<typeof command>,
  { terminal, signal }: Pick<Needs, "terminal" | "signal">,
): Promise<number> {
  using agent = await connectToAgent(socketPath, signal);
  for (const dependency of dependencies) await agent.want(unit, dependency, signal);
  terminal.out.line(`${unit} waits for ${dependencies.join(", ")}`);
  return exitCodes.ok;
}
