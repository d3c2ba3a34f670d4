import { getSystemErrorMessage } from "node:util";

import { EmbeddedPostgresError } from "@slipway/postgres";
import { CodedError, errorText, systemErrorCode } from "@slipway/runtime";

import { ConfigError } from "../platform/config/setting-source.ts";
import { DatabaseError } from "../platform/db/errors.ts";
import { Refusal } from "../platform/errors/errors.ts";

/** Runs a program; prints the message of an expected error and returns exit code 1. */
export async function explainStartError(
  program: () => Promise<number>,
  stderr: (text: string) => void,
): Promise<number> {
  try {
    return await program();
  } catch (error) {
    if (!isExplained(error)) throw error;
    for (const line of explain(error).split("\n")) stderr(`error: ${line}\n`);
    return 1;
  }
}

function explain(error: Error): string {
  if (isFull(error)) {
    return `${fileFault(error)}; free space, or choose another data directory with SLIPWAY_DATA_DIR`;
  }
  if (!(error instanceof Refusal)) return errorText(error);
  const { message, detail, validations } = error;
  if (validations.length > 0)
    return validations.map((one) => `${one.field} ${one.detail}`).join("\n");
  return detail === undefined ? message : `${message} ${detail}`;
}

function isExplained(error: unknown): error is Error {
  return (
    error instanceof ConfigError ||
    error instanceof StartError ||
    error instanceof DatabaseError ||
    error instanceof EmbeddedPostgresError ||
    error instanceof Refusal ||
    isFull(error)
  );
}

/** Returns whether a file could not be written for lack of space. */
function isFull(error: unknown): boolean {
  return ["ENOSPC", "EDQUOT"].includes(systemErrorCode(error) ?? "");
}

/**
 * Describes a refusal of the system to read or write a file, with the file if it is known: `no space left on device:
 * /srv/slipway/runtime`. Returns undefined for other errors.
 */
export function fileFault(error: unknown): string | undefined {
  if (!(error instanceof Error && "errno" in error && typeof error.errno === "number")) return;
  const reason = getSystemErrorMessage(error.errno);
  // A copy fails on the side of the new file.
  const file = ["dest", "path"].map((name): unknown => Reflect.get(error, name)).find(isText);
  return file === undefined ? reason : `${reason}: ${file}`;
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

/** A failure to start the server; the message says what to do. */
export class StartError extends CodedError<
  | "data-directory-in-use"
  | "data-directory-unusable"
  | "address-in-use"
  | "address-refused"
  | "no-database"
  | "secret-key-missing"
  | "no-terraform"
  | "provisioner-refused"
> {
  override readonly name = "StartError";
}
