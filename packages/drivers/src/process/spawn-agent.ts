import { spawn } from "node:child_process";
import { open, rename, stat } from "node:fs/promises";

import { errorText, systemErrorCode } from "@slipway/runtime";
import type { Account } from "@slipway/runtime/ownership";

import { DriverError } from "../errors.ts";

export interface SpawnAgentOptions {
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly directory: string;
  readonly logPath: string;
  /** Undefined for our own user. */
  readonly user: Account | undefined;
}

/** The size above which the log is rotated to `agent.log.1` at the next start. */
const maxLogBytes = 5 * 1024 * 1024;

/**
 * Starts an agent in its own session, so that it outlives the server and a terminal's Ctrl-C. Returns its process
 * id. Throws `not-startable` when the command cannot be run; failures after that are not reported.
 */
export async function spawnAgent({
  command,
  environment,
  directory,
  logPath,
  user,
}: SpawnAgentOptions): Promise<number> {
  const [program = "", ...args] = command;
  await rotateLog(logPath);
  await using log = await open(logPath, "a", 0o600);
  const child = spawn(program, args, {
    cwd: directory,
    env: environment,
    detached: true,
    stdio: ["ignore", log.fd, log.fd],
    // Setting a user also drops root's supplementary groups.
    ...user,
  });
  child.unref();
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  child.on("error", reject);
  child.once("spawn", () => resolve(child.pid ?? 0));
  try {
    return await promise;
  } catch (error) {
    const reason = systemErrorCode(error) === "ENOENT" ? "no such program" : errorText(error);
    throw new DriverError("not-startable", `cannot start the agent with ${program}: ${reason}`, {
      cause: error,
    });
  }
}

async function rotateLog(path: string): Promise<void> {
  try {
    if ((await stat(path)).size > maxLogBytes) await rename(path, `${path}.1`);
  } catch (error) {
    if (systemErrorCode(error) !== "ENOENT") throw error;
  }
}
