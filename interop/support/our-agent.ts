import { type ChildProcess, spawn } from "node:child_process";
import { mkdir } from "node:fs/promises";

import { agentEnvironment, agentProgram } from "@slipway/testkit";

/** Starts our agent, as `tools/build-agent.ts` has built it; all its files are in its home directory. */
export async function runOurAgent(
  place: Parameters<typeof agentEnvironment>[0],
): Promise<ChildProcess> {
  await mkdir(place.home, { recursive: true });
  return spawn(process.execPath, [agentProgram], {
    cwd: place.home,
    stdio: process.env["AGENTLOG"] ? ["ignore", "inherit", "inherit"] : "ignore",
    env: agentEnvironment(place),
  });
}
