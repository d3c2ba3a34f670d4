import { type AcceptedConnection, endConnection } from "../connections/accepted-connection.ts";
import type { TerminalInput } from "./messages.ts";

/** The most that a viewer may leave unread while others read; then it is cut off, and may come again. */
const maxBehindBytes = 4 * 1024 * 1024;

/** One who looks at a terminal and types into it. */
export interface Viewer {
  /** Its name if it may lose its connection and go on by another; else undefined. */
  readonly id: string | undefined;
  /** True if it takes more output now. */
  readonly isReady: boolean;
  /** Begins on a connection with the output from a position on (docs/protocol/agent.md §7.1). */
  begin(connection: AcceptedConnection, position: number, output: Buffer): void;
  /** Shows the newest output, which follows what it was shown before; true if its bytes must not change from now on. */
  show(chunk: Buffer): boolean;
  /** Returns whether an input is to be typed. Throws `TerminalError` "malformed". */
  accepts(input: TerminalInput): boolean;
  /** Notes the position up to which it has received output. */
  receive(position: number): void;
  /** Tells that everything that was accepted is typed. */
  confirm(): void;
  /** Tells that the terminal has ended, and leaves. */
  end(): void;
}

/** A viewer whose connection carries the bytes of the terminal and nothing else (docs/protocol/agent.md §7). */
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
    // It does not say.
  }

  accepts(): boolean {
    return true;
  }

  confirm(): void {
    // It would not understand.
  }

  end(): void {
    endConnection(this.#connection);
  }
}

/**
 * Writes output to a connection, or cuts off one that is too far behind. Returns true if the connection keeps some of the
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
