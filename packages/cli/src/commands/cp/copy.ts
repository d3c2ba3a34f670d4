import { createHash } from "node:crypto";

import type { Files } from "@slipway/sdk/files";

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
/** The permissions that a copy takes over. */
export const permissionBits = 0o777;

/**
 * Returns the name for a copy that is not complete. It contains a hash of what identifies the source, so that the copy is
 * continued only if the source is still the same.
 */
export function partName(name: string, ...source: readonly (string | number)[]): string {
  const hash = createHash("sha256").update(JSON.stringify(source)).digest("hex").slice(0, 16);
  return `.${name.slice(0, 150)}.${hash}.part`;
}

/** Returns the last name of a path, without slashes at its end. */
export function baseName(path: string): string {
  return path.replace(/\/+$/, "").split("/").at(-1) ?? "";
}

/** Returns the error of a copy that needs --recursive. */
export function isDirectoryError(path: string): CommandError {
  return new CommandError(`${path} is a directory`, { hint: "copy it with --recursive" });
}
