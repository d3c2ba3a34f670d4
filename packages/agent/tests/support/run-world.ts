import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { type Clock, silentLogger, systemClock } from "@slipway/runtime";
import { onTestFinished } from "vitest";

import type { CommandHost } from "../../src/process/run-command.ts";
import { parseRunStart } from "../../src/runs/run-start.ts";
import type { Run } from "../../src/runs/run.ts";
import { defaultRunsLimits, Runs, type RunsLimits, type RunsNeeds } from "../../src/runs/runs.ts";
import { openCommandHost, shellCommand } from "./command-host.ts";

interface RunWorld {
  readonly runs: Runs;
  readonly commands: CommandHost;
  /** The directory of the agent's files. */
  readonly dataDir: string;
  /** Starts a run from the body of a request. */
  readonly start: (body: object) => Promise<Run>;
}

/** Opens runs of real commands until the test ends. */
export function openRuns(
  limits: Partial<RunsLimits> = {},
  { clock = systemClock, ...needs }: Partial<RunsNeeds> & { readonly clock?: Clock } = {},
): RunWorld {
  const dataDir = mkdtempSync(join(tmpdir(), "slipway-runs-"));
  const commands = openCommandHost(clock);
  const runs = new Runs({
    prepare: async (text, { extra = {} }) => {
      const { environment, ...command } = shellCommand(text);
      return { ...command, environment: { ...environment, USER: "me", ...definedOf(extra) } };
    },
    commands,
    descriptors: { take: () => ({ [Symbol.dispose]: () => undefined }) },
    dataDir,
    logger: silentLogger,
    limits: { ...defaultRunsLimits, ...limits },
    ...needs,
  });
  onTestFinished(async () => {
    runs.stop();
    commands[Symbol.dispose]();
    await runs.close();
    rmSync(dataDir, { recursive: true, force: true });
  });
  return { runs, commands, dataDir, start: (body) => runs.start(parseRunStart(body)) };
}

function definedOf(
  variables: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(variables).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, value]],
    ),
  );
}

/** Reads all output that is kept of a run, until it has ended. */
export async function outputOf(run: Run, after = 0): Promise<{ text: string; missed: number }> {
  await run.exited;
  const parts: Uint8Array[] = [];
  let position = after;
  let missed = 0;
  for (;;) {
    const { missedBytes, pieces } = await run.output.read(position, 64 * 1024);
    missed += missedBytes;
    position += missedBytes;
    if (pieces.length === 0 && missedBytes === 0) break;
    for (const { bytes } of pieces) {
      parts.push(Uint8Array.from(bytes));
      position += bytes.length;
    }
  }
  return { text: Buffer.concat(parts).toString("latin1"), missed };
}
