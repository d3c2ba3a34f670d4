import { type AcceptedConnection, endConnection } from "../connections/accepted-connection.ts";
import type { TerminalInput } from "./messages.ts";

/**
 * The maximum that a viewer may leave unread while others read; beyond it, the viewer is disconnected and may return.
 */
const maxBehindBytes = 4 * 1024 * 1024;

/** A client that sees a terminal and types into it. */
export interface Viewer {
  /** The id of a viewer that can resume; else undefined. */
  readonly id: string | undefined;
  /** True if it has room for more output. */
  readonly isReady: boolean;
  /** Attaches to a connection, and shows the output from a position on (docs/protocol/agent.md §7.1). */
  begin(connection: AcceptedConnection, position: number, output: Buffer): void;
  /** Shows the output that follows. Returns true if its bytes must not change from now on. */
  show(chunk: Buffer): boolean;
  /** Reports whether an input is new. Throws `TerminalError` "malformed". */
  accepts(input: TerminalInput): boolean;
  /** Records the position up to which it has received output. */
  receive(position: number): void;
  /** Confirms that all accepted input was typed. */
  confirm(): void;
  /** Reports the end of the terminal, and ends the connection. */
  end(): void;
}

/** A viewer whose connection carries only the bytes of the terminal (docs/protocol/agent.md §7). */
export class PlainViewer implements Viewer {
  readonly id = undefined;
  readonly #connection: AcceptedConnection;

  constructor(connection: AcceptedConnection) {
    this.#connection = connection;
  }

  get isReady(): boolean {
    return !this.#connection.writableNeedDrain;
  }

  begin(_: AcceptedConnection, __: number, output: Buffer): void {
    if (output.length > 0) this.show(output);
  }

  show(chunk: Buffer): boolean {
    return writeOutput(this.#connection, [chunk]);
  }

  receive(): void {
    // It sends no positions.
  }

  accepts(): boolean {
    return true;
  }

  confirm(): void {
    // It expects no confirmations.
  }

  end(): void {
    endConnection(this.#connection);
  }
}

/**
 * Writes output to a connection, or destroys one that is too far behind. Returns true if the connection keeps some of the
 * chunks for later.
 */
export function writeOutput(
  connection: AcceptedConnection,
  chunks: readonly Uint8Array[],
): boolean {
  if (connection.destroyed || connection.writableEnded) return false;
  if (connection.writableLength > maxBehindBytes) {
    connection.destroy();
    return false;
  }
  for (const chunk of chunks) connection.write(chunk);
  return connection.writableLength > 0;
}
