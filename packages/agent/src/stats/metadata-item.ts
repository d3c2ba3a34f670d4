/** A value that the workspace shows, and the command that finds it (docs/protocol/agent.md §5.1). */
export interface MetadataItem {
  readonly key: string;
  readonly script: string;
  /** The interval; 0 collects once a connection. */
  readonly intervalSeconds: number;
  /** The timeout; 0 takes the interval's length. */
  readonly timeoutSeconds: number;
}

/** One collected value. */
export interface MetadataValue {
  readonly key: string;
  /** The raw output, with its last line end. */
  readonly value: string;
  /** The error; empty on success. */
  readonly error: string;
  /** Start of the collection, milliseconds since 1970. */
  readonly collectedAtMs: number;
}
