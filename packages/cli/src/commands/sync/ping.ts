import { defineCommand, type OptionsOf } from "../../command/definition.ts";
import { exitCodes } from "../../command/exit-codes.ts";
import type { Needs } from "../../command/needs.ts";
import { connectToAgent, socketFlag } from "../../resources/inside/agent-socket.ts";

export const command = defineCommand({
  summary: "test whether the workspace's agent answers on its socket",
  arguments: {},
  flags: { socketPath: socketFlag },
  examples: [{ line: "slipway sync ping", summary: "exits with 0 if it answers" }],
});

export async function run(
  { socketPath }: OptionsOf<typeof command>,
  { terminal, signal }: Pick<Needs, "terminal" | "signal">,
): Promise<number> {
  using agent = await connectToAgent(socketPath, signal);
  await agent.ping(signal);
  terminal.out.line("the agent answers");
  return exitCodes.ok;
}
