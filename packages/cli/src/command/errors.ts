import { exitCodes } from "./exit-codes.ts";

/** An invalid command line; nothing was done. */
export class UsageError extends Error {
  override readonly name = "UsageError";
  readonly code = "usage";
  readonly exitCode = exitCodes.usage;
  readonly hint: string | undefined;

  constructor(message: string, hint?: string) {
    super(message);
    this.hint = hint;
  }
}

/** The failure of a command. */
export class CommandError extends Error {
  override readonly name = "CommandError";
  readonly code = "command-failed";
  readonly exitCode: number;
  /** The suggested next step. */
  readonly hint: string | undefined;

  constructor(
    message: string,
    options: { readonly hint?: string; readonly exitCode?: number; readonly cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.exitCode = options.exitCode ?? exitCodes.failure;
    this.hint = options.hint;
  }
}

export type SignalName = "SIGINT" | "SIGTERM" | "SIGHUP";

/** An external request to end a command: first gracefully, then by force. */
export interface Interruption {
  /** Resolves at the first signal. */
  readonly interrupted: Promise<SignalName>;
  /** Aborts at the second. */
  readonly forced: AbortSignal;
}

/** The reason with which a command's signal aborts. */
export class InterruptError extends Error {
  override readonly name = "InterruptError";
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

/** An error of writing output: its reader is gone, or its file cannot grow. */
export class OutputError extends Error {
  override readonly name = "OutputError";
  readonly code = "output-failed";
  readonly exitCode: number;

  constructor(cause: NodeJS.ErrnoException) {
    super(`cannot write the output: ${cause.message}`, { cause });
    this.exitCode = cause.code === "EPIPE" ? exitCodes.outputClosed : exitCodes.failure;
  }
}

/** Returns the error of a command that needs a session and has none for the server. */
export function notLoggedIn(url: string | undefined): CommandError {
  return new CommandError(
    url === undefined ? "you are not logged in" : `you are not logged in to ${url}`,
    {
      hint: `log in with: slipway login ${url ?? "<url>"}`,
      exitCode: exitCodes.unauthorized,
    },
  );
}
