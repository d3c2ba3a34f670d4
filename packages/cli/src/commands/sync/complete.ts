import { defineCommand, type OptionsOf } from "../../command/definition.ts";
import { exitCodes } from "../../command/exit-codes.ts";
import type { Needs } from "../../command/needs.ts";
import { connectToAgent, socketFlag, unitArgument } from "../../resources/inside/agent-socket.ts";

export const command = defineCommand({
  summary: "mark a unit as completed, so that those who wait for it can start",
  arguments: { unit: { ...unitArgument, required: true } },
  flags: { socketPath: socketFlag },
  examples: [{ line: "slipway sync complete database", summary: "at the end of its script" }],
});

export async function run(
  { unit, socketPath }: OptionsOf<typeof command>,
  { terminal, signal }: Pick<Needs, "terminal" | "signal">,
): Promise<number> {
  using agent = await connectToAgent(socketPath, signal);
  await agent.complete(unit, signal);
  terminal.out.line(`${unit} is completed`);
  return exitCodes.ok;
}
