import { readFileSync } from "node:fs";

import { type Clock, parseProcStat, systemClock } from "@slipway/runtime";

import { OutputPipes } from "../../src/process/output-pipes.ts";
import { ProcessGroups } from "../../src/process/process-groups.ts";
import type { CommandHost } from "../../src/process/run-command.ts";
import type { PreparedCommand } from "../../src/process/spawn-group.ts";

/** Opens a host for real commands; `dispose` kills the survivors. */
export function openCommandHost(clock: Clock = systemClock): CommandHost & Disposable {
  const groups = new ProcessGroups(clock);
  const pipes = new OutputPipes();
  return {
    clock,
    groups,
    pipes,
    [Symbol.dispose]: () => {
      groups.killAll();
      pipes[Symbol.dispose]();
    },
  };
}

/** Makes a command of /bin/sh with almost no environment. */
export function shellCommand(text: string): PreparedCommand {
  return {
    file: "/bin/sh",
    args: ["-c", text],
    cwd: "/",
    environment: { PATH: process.env["PATH"] ?? "/usr/bin:/bin" },
  };
}

/** Returns whether the process is alive; a zombie is not. */
export function isAlive(pid: number): boolean {
  try {
    return parseProcStat(readFileSync(`/proc/${pid}/stat`, "utf8"))?.isZombie === false;
  } catch {
    return false;
  }
}
