import { CodedError } from "@slipway/runtime";

export type EmbeddedPostgresErrorCode =
  /** No binaries exist for this operating system and processor. */
  | "unsupported-platform"
  /** The binaries exist, but npm did not install them. */
  | "package-missing"
  /** The user that PostgreSQL runs as cannot reach the data directory, or does not own it. */
  | "directory-unreachable"
  /** PostgreSQL's own user does not exist and cannot be created. */
  | "user-missing"
  /** The data directory belongs to another major version. */
  | "version-mismatch"
  /** `initdb` failed; the message ends with its output. */
  | "init-failed"
  /** The server did not become ready; the message ends with its log. */
  | "start-failed";

/** A failure to open the embedded PostgreSQL. The message says how to fix it. */
export class EmbeddedPostgresError extends CodedError<EmbeddedPostgresErrorCode> {
  override readonly name = "EmbeddedPostgresError";
}
