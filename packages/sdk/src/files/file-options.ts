import type { FileMatch } from "@slipway/api/agents/file-routes";

export interface Cancelable {
  readonly signal?: AbortSignal;
}

export interface ReadOptions extends Cancelable {
  /** The first byte (default: 0). */
  readonly offset?: number;
  /** The maximum number of bytes (default: all). */
  readonly limit?: number;
  /** The etag that the file must have; else the call fails with `FileChangedError`. */
  readonly ifMatch?: string;
}

/** The content of a file. */
export interface FileContent {
  /** Identifies the content; a later read or write may require it. */
  readonly etag: string;
  /** The size of what is read, in bytes; undefined for a file without a size, such as those of `/proc`. */
  readonly size: number | undefined;
  /**
   * The bytes as they arrive. A lost connection is opened again, and the content goes on where it broke off; fails with
   * `FileChangedError` if the file has changed meanwhile, and like the other calls.
   */
  readonly content: AsyncIterable<Uint8Array>;
}

export interface WriteOptions extends Cancelable {
  /** The permissions, such as 0o644 (default: those of the file that is replaced). */
  readonly mode?: number;
  readonly modifiedAt?: Date;
  /** True to create the directories above (default: false). */
  readonly parents?: boolean;
  /** The etag that the file must have. */
  readonly ifMatch?: string;
  /** True if the file must not exist (default: false). */
  readonly ifAbsent?: boolean;
  /** Writes in place from this byte, which must be within the file, and cuts off the rest (default: replaces the file). */
  readonly offset?: number;
}

export interface SearchOptions extends Cancelable {
  /** True if the pattern is a text rather than a regular expression of RE2 (default: false). */
  readonly literal?: boolean;
  readonly ignoreCase?: boolean;
  /** Globs of the files to search, such as `*.ts`; those after `!` are left out. */
  readonly globs?: readonly string[];
  /** True to search hidden and ignored files as well (default: false). */
  readonly all?: boolean;
  /** The maximum number of matches, up to 5,000 (default: 500). */
  readonly limit?: number;
}

export interface FoundMatches {
  readonly matches: readonly FileMatch[];
  /** The limit that ended the search early. */
  readonly truncatedBy: "matches" | "bytes" | "time" | undefined;
}

/** The content of a file to write: text, bytes, or a stream of them. */
export type FileSource = string | Uint8Array | AsyncIterable<Uint8Array>;
