import { CodedError } from "@slipway/runtime";

/** An error of the database, or a failure to reach it; `retryable` tells whether waiting can help. */
export class DatabaseError extends CodedError<
  "unreachable" | "too-old" | "too-new" | "migration-failed"
> {
  override readonly name = "DatabaseError";
  readonly retryable = this.code === "unreachable";
}

/** SQLSTATE codes that this project acts on. */
export const sqlState = {
  uniqueViolation: "23505",
  foreignKeyViolation: "23503",
  serializationFailure: "40001",
  deadlockDetected: "40P01",
  lockNotAvailable: "55P03",
} as const;

/** Returns the SQLSTATE of an error from PostgreSQL; undefined for any other. */
export function sqlStateOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}

/** Returns whether `error` is a violation of the unique constraint or index of that name. */
export function violatesUnique(error: unknown, constraint: string): boolean {
  return (
    sqlStateOf(error) === sqlState.uniqueViolation &&
    error instanceof Error &&
    "constraint" in error &&
    error.constraint === constraint
  );
}

const outageCodes: ReadonlySet<string> = new Set([
  // PostgreSQL has no connection left: others use them all.
  "53300",
  "57P01",
  "57P02",
  "57P03",
  "ECONNREFUSED",
  "ECONNRESET",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "EPIPE",
  "ETIMEDOUT",
  // The name of its host does not resolve, as during a failover.
  "EAI_AGAIN",
  "ENOTFOUND",
]);

/** The name that PostgreSQL gives its unix socket; any other missing file is not an outage. */
const socketPath = /\/\.s\.PGSQL\.\d+$/;

/**
 * The messages of pg for a connection that failed, has ended, or ended before the query; these errors carry no code.
 */
const lostConnection =
  /^(Connection terminated|timeout (exceeded|expired)|Client (has encountered a connection error|was closed) and is not queryable)/;

/**
 * Returns whether PostgreSQL does not store a value, or has it already where only one may be: the same statement fails
 * whenever it is sent.
 */
export function isUnstorable(error: unknown): boolean {
  const code = sqlStateOf(error);
  return code === sqlState.uniqueViolation || code?.startsWith("22") === true;
}

/** Returns whether PostgreSQL was unavailable, so that the same statement may succeed once it is back. */
export function isOutage(error: unknown): boolean {
  const code = sqlStateOf(error);
  if (code === "ENOENT") return isMissingSocket(error);
  if (code !== undefined) return outageCodes.has(code) || code.startsWith("08");
  return error instanceof Error && lostConnection.test(error.message);
}

function isMissingSocket(error: unknown): boolean {
  if (!(error instanceof Error) || !("address" in error)) return false;
  return typeof error.address === "string" && socketPath.test(error.address);
}
