import { exitCodes } from "./exit-codes.ts";

export type SignalName = "SIGINT" | "SIGTERM" | "SIGHUP";

/** An external request to end a command: first politely, then by force. */
export interface Interruption {
  /** Resolves at the first signal. */
  readonly interrupted: Promise<SignalName>;
  /** Aborts at the second. */
  readonly forced: AbortSignal;
}

/** The reason with which a command's signal aborts. */
export class Interrupted extends Error {
  override readonly name = "Interrupted";
  readonly code = "interrupted";
  readonly signal: SignalName;

  constructor(signal: SignalName) {
    super(`interrupted by ${signal}`);
    this.signal = signal;
  }

  get exitCode(): number {
    switch (this.signal) {
      case "SIGINT":
        return exitCodes.interrupted;
      case "SIGTERM":
        return exitCodes.terminated;
      case "SIGHUP":
        return exitCodes.hungUp;
    }
  }
}

/** Output can no longer be written: its reader is gone, or its file cannot grow. */
export class OutputFailed extends Error {
  override readonly name = "OutputFailed";
  readonly code = "output-failed";
  readonly exitCode: number;

  constructor(cause: NodeJS.ErrnoException) {
    super(`cannot write the output: ${cause.message}`, { cause });
    this.exitCode = cause.code === "EPIPE" ? exitCodes.outputClosed : exitCodes.failure;
  }
}
