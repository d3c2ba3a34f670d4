import type { Clock } from "@slipway/runtime";
import type { AgentSocketClient } from "@slipway/sdk/inside";

import { defineCommand, type OptionsOf } from "../../command/definition.ts";
import { readShortDuration } from "../../command/duration.ts";
import { CommandError } from "../../command/errors.ts";
import { exitCodes } from "../../command/exit-codes.ts";
import type { Needs } from "../../command/needs.ts";
import { connectToAgent, socketFlag, unitArgument } from "../../resources/inside/agent-socket.ts";

export const command = defineCommand({
  summary: "wait until a unit may start, and mark it as started",
  description:
    "Wait until all units that this one waits for are completed, and mark it as started. Mostly the first line of a " +
    "script, with slipway sync complete as its last.",
  arguments: { unit: { ...unitArgument, required: true } },
  flags: {
    timeout: {
      kind: "text",
      value: "duration",
      summary: "time to wait, such as 30s or 5m (default: 5m)",
    },
    socketPath: socketFlag,
  },
  examples: [
    { line: "slipway sync start app", summary: "wait for what app depends on" },
    { line: "slipway sync start app --timeout 30s", summary: "for half a minute at most" },
  ],
});

const pollMs = 1_000;

export async function run(
  { unit, timeout = "5m", socketPath }: OptionsOf<typeof command>,
  { terminal, clock, signal }: Pick<Needs, "terminal" | "clock" | "signal">,
): Promise<number> {
  const limitMs = readShortDuration("--timeout", timeout);
  using agent = await connectToAgent(socketPath, signal);
  const waitsFor = await openDependencies(agent, unit, signal);
  if (waitsFor.length > 0) terminal.err.line(`${unit} waits for ${waitsFor.join(", ")}`);
  await untilReady(agent, unit, { limitMs, clock, signal });
  await agent.start(unit, signal);
  terminal.out.line(`${unit} is started`);
  return exitCodes.ok;
}

async function untilReady(
  agent: AgentSocketClient,
  unit: string,
  {
    limitMs,
    clock,
    signal,
  }: { readonly limitMs: number; readonly clock: Clock; readonly signal: AbortSignal },
): Promise<void> {
  const deadline = clock.monotonic() + limitMs;
  for (;;) {
    const open = await openDependencies(agent, unit, signal);
    if (open.length === 0) return;
    const leftMs = deadline - clock.monotonic();
    if (leftMs <= 0) throw new CommandError(`${unit} still waits for ${open.join(", ")}`);
    await clock.sleep(Math.min(pollMs, leftMs), signal);
  }
}

/** Returns the units that a unit still waits for. */
async function openDependencies(
  agent: AgentSocketClient,
  unit: string,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const { dependencies } = await agent.status(unit, signal);
  return dependencies.flatMap(({ dependsOn, isSatisfied }) => (isSatisfied ? [] : [dependsOn]));
}
