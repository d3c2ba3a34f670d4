import { createHash } from "node:crypto";

import { type BackoffPolicy, Backoff, systemClock } from "@slipway/runtime";
import type { Files } from "@slipway/sdk/files";
import { isRetryable } from "@slipway/sdk/http";

import { CommandError } from "../../command/errors.ts";
import type { Terminal } from "../../terminal/terminal.ts";
import type { TransferProgress } from "./transfer-progress.ts";

export interface CopyOptions {
  readonly recursive: boolean;
  /** True to keep modes and modification times. */
  readonly preserve: boolean;
}

export interface CopyNeeds {
  readonly files: Files;
  readonly terminal: Pick<Terminal, "out" | "err" | "raw">;
  readonly progress: TransferProgress;
  readonly signal: AbortSignal;
}

/** The result of a copy. */
export interface Totals {
  readonly files: number;
  readonly bytes: number;
}

/** The size from which the copy of a file can be continued, in bytes. */
export const resumableBytes = 8 * 1024 * 1024;
/** The pauses before a broken copy is continued, which is given up after several without progress. */
const resuming: BackoffPolicy = { firstMs: 500, maxMs: 10_000, factor: 2, jitter: 0.2 };
const maxFailures = 8;
/** The permissions that a copy takes over. */
export const permissionBits = 0o777;

/**
 * Returns the name for a copy that is not complete. It contains a hash of what identifies the source, so that the copy is
 * continued only if the source is still the same.
 */
export function partName(name: string, ...source: readonly (string | number)[]): string {
  const hash = createHash("sha256").update(JSON.stringify(source)).digest("hex").slice(0, 16);
  // A name has at most 255 bytes.
  const start = Buffer.from(name)
    .subarray(0, 150)
    .toString()
    .replace(/\uFFFD$/, "");
  return `.${start}.${hash}.part`;
}

/** Returns the last name of a path, without slashes at its end. */
export function baseName(path: string): string {
  return path.replace(/\/+$/, "").split("/").at(-1) ?? "";
}

/** Returns the path of a name in a directory of a workspace. */
export function remoteJoin(directory: string, name: string): string {
  return `${directory.replace(/\/+$/, "")}/${name}`;
}

/** Returns the error of a copy that needs --recursive. */
export function isDirectoryError(path: string): CommandError {
  return new CommandError(`${path} is a directory`, { hint: "copy it with --recursive" });
}

/**
 * Repeats a copy that loses its connection, until it succeeds or several attempts in a row have not got further than the
 * one before: each reports how far it is.
 */
export async function untilCopied<T>(
  attempt: (report: (done: number) => void) => Promise<T>,
  { signal }: Pick<CopyNeeds, "signal">,
): Promise<T> {
  const backoff = new Backoff(resuming);
  let [failures, best] = [0, -1];
  const report = (done: number): void => {
    if (done <= best) return;
    [failures, best] = [0, done];
    backoff.reset();
  };
  for (;;) {
    try {
      return await attempt(report);
    } catch (error) {
      failures += 1;
      if (!isRetryable(error) || failures > maxFailures) throw error;
      await systemClock.sleep(backoff.next(), signal);
    }
  }
}
