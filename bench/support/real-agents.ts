import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";

import { agentEnvironment, agentProgram } from "@slipway/testkit";

/** The agent's program in a separate process; its start scripts record when they began. */
export interface RealAgent {
  /** The first events of the agent's life for its new owner, by `wallMs`; undefined until it begins. */
  readonly newLife: () => Promise<RealLife | undefined>;
}

export interface RealLife {
  /** The time, to the millisecond; the next one too. */
  readonly frameAtMs: number;
  readonly manifestAtMs: number;
  readonly scriptAtMs: number;
}

/** The start script of the template. */
export const noteScript = 'date +%s%N >> "$BENCH_NOTES"';

/** Starts an agent that keeps all its files in its own directory; it stops with `opened`. */
export async function startRealAgent(
  opened: AsyncDisposableStack,
  {
    serverUrl,
    token,
    directory,
  }: { readonly serverUrl: string; readonly token: string; readonly directory: string },
): Promise<RealAgent> {
  await mkdir(directory, { recursive: true });
  const notes = join(directory, "notes");
  const child = spawn(process.execPath, [agentProgram], {
    stdio: "ignore",
    env: {
      ...agentEnvironment({ serverUrl, token, home: directory }),
      CODER_AGENT_LOGGING_HUMAN: "",
      BENCH_NOTES: notes,
    },
  });
  opened.defer(async () => {
    child.kill("SIGKILL");
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  });
  return {
    newLife: async () => {
      const [, begun] = (await readFile(notes, "utf8")).split("\n");
      if (begun === undefined || begun === "") return undefined;
      const log = await readFile(join(directory, "coder-agent.log"), "utf8");
      return {
        frameAtMs: timeOf(log, "server asks to reinit"),
        manifestAtMs: timeOf(log, "the agent has a new owner: starting a new session"),
        scriptAtMs: Number(begun) / 1e6,
      };
    },
  };
}

/** Returns the time of a message in an agent's log. */
function timeOf(log: string, message: string): number {
  const line = log.split("\n").find((text) => text.includes(message)) ?? "";
  return Date.parse(/"time":"([^"]+)"/.exec(line)?.[1] ?? "");
}
