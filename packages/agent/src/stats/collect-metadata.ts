import { errorText } from "@slipway/runtime";

import { ProcessError } from "../process/errors.ts";
import { runCommand, type CommandHost, type RunOutcome } from "../process/run-command.ts";
import type { PreparedCommand } from "../process/spawn-group.ts";

/** A value that the workspace shows, and the command that prints it (docs/protocol/agent.md §5.1). */
export interface MetadataItem {
  readonly key: string;
  readonly script: string;
  /** The interval; 0 collects once for each connection. */
  readonly intervalSeconds: number;
  /** The timeout (0: the interval). */
  readonly timeoutSeconds: number;
}

/** A collected value. */
export interface MetadataValue {
  readonly key: string;
  /** The raw output, with its last line end. */
  readonly value: string;
  /** The error; empty on success. */
  readonly error: string;
  /** Start of the collection, milliseconds since 1970. */
  readonly collectedAtMs: number;
}

/** The resources with which metadata commands run. */
export interface MetadataHost {
  readonly commands: CommandHost;
  readonly prepare: (text: string) => Promise<PreparedCommand>;
}

/** The limit of stdout and stderr together; the rest is dropped (docs/protocol/agent.md §5.1). */
export const maxValueBytes = 10_240;
const defaultTimeoutSeconds = 3;

/** Runs an item's command once. Its failure is in the value's error. Rejects with the signal's reason. */
export async function collectMetadata(
  item: MetadataItem,
  { commands, prepare }: MetadataHost,
  signal: AbortSignal,
): Promise<MetadataValue> {
  const collectedAtMs = commands.clock.now();
  const timeoutSeconds = item.timeoutSeconds || item.intervalSeconds || defaultTimeoutSeconds;
  const output = new CappedOutput();
  const command = await prepare(item.script).catch((error: unknown) => {
    if (error instanceof ProcessError) return error;
    throw error;
  });
  const outcome: RunOutcome =
    command instanceof ProcessError
      ? { kind: "not-started", error: command }
      : await runCommand(command, commands, {
          timeoutMs: timeoutSeconds * 1000,
          timeoutGraceMs: 0,
          stopGraceMs: 0,
          joinOutput: true,
          onOutput: async (_stream, chunk) => output.take(chunk),
          signal,
        });
  signal.throwIfAborted();
  const errors = [problemOf(outcome, timeoutSeconds), output.problem];
  return {
    key: item.key,
    value: output.text,
    error: errors.filter((error) => error !== undefined).join("; "),
    collectedAtMs,
  };
}

class CappedOutput {
  readonly #chunks: Buffer[] = [];
  #keptBytes = 0;
  #totalBytes = 0;

  take(chunk: Buffer): void {
    this.#totalBytes += chunk.length;
    const kept = chunk.subarray(0, maxValueBytes - this.#keptBytes);
    if (kept.length === 0) return;
    this.#keptBytes += kept.length;
    this.#chunks.push(kept);
  }

  get text(): string {
    // Strings of messages are UTF-8; other bytes, left by a cut or the command, become U+FFFD.
    return Buffer.concat(this.#chunks).toString("utf8");
  }

  get problem(): string | undefined {
    if (this.#totalBytes <= maxValueBytes) return undefined;
    return `output has ${this.#totalBytes} bytes, cut to ${maxValueBytes}`;
  }
}

function problemOf(outcome: RunOutcome, timeoutSeconds: number): string | undefined {
  switch (outcome.kind) {
    case "exited":
      return outcome.exitCode === 0 ? undefined : `exit status ${outcome.exitCode}`;
    case "signalled":
      return `killed by ${outcome.signal}`;
    case "timed-out":
      return `no end within ${timeoutSeconds} s`;
    case "pipes-left-open":
      return "exited, but something it started keeps its output open";
    case "stopped":
      return "stopped";
    case "not-started":
      return errorText(outcome.error);
  }
}
