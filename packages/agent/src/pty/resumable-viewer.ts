import {
  encodeOutputHeader,
  encodeTerminalFrame,
  encodeTerminalGreeting,
} from "@slipway/wire/services/terminal-frames";
import type { TerminalEvent } from "@slipway/wire/services/terminal-frames";

import { type AcceptedConnection, endConnection } from "../connections/accepted-connection.ts";
import { TerminalError } from "./errors.ts";
import type { TerminalInput } from "./messages.ts";
import { type Viewer, writeOutput } from "./viewer.ts";

/** The maximum output in flight to a viewer; more waits until the viewer acknowledges some. */
export const windowBytes = 1024 * 1024;

/**
 * A viewer that can lose its connection and resume on another at the same byte (docs/protocol/agent.md §7.1):
 *
 *   connected ──loss──► lost ──resume──► connected
 */
export class ResumableViewer implements Viewer {
  readonly id: string;
  #connection: AcceptedConnection | undefined;
  /** The positions up to which output was sent and received. */
  #sent = 0;
  #received = 0;
  /** The numbers of the latest accepted input, and of the latest confirmed one. */
  #taken = 0;
  #confirmed = 0;

  constructor(id: string) {
    this.id = id;
  }

  get isLost(): boolean {
    return this.#connection === undefined;
  }

  get isReady(): boolean {
    const isFull = this.#connection?.writableNeedDrain === true;
    return !isFull && this.#sent - this.#received < windowBytes;
  }

  /** Attaches to a connection, and destroys the previous one. */
  begin(connection: AcceptedConnection, position: number, output: Buffer): void {
    this.#connection?.destroy();
    this.#connection = connection;
    this.#sent = position;
    this.#received = position;
    this.#confirmed = this.#taken;
    connection.write(encodeTerminalGreeting(this.id));
    this.#tell({ type: "attached", position, taken: this.#taken });
    if (output.length > 0) this.show(output);
  }

  /** Records the end of a connection, which may not be the current one. */
  lose(connection: AcceptedConnection): void {
    if (this.#connection === connection) this.#connection = undefined;
  }

  show(chunk: Buffer): boolean {
    this.#sent += chunk.length;
    if (this.#connection === undefined) return false;
    return writeOutput(this.#connection, [encodeOutputHeader(chunk.length), chunk]);
  }

  receive(position: number): void {
    if (position <= this.#sent) this.#received = Math.max(this.#received, position);
  }

  accepts({ number }: TerminalInput): boolean {
    if (number === undefined) return true;
    // A repetition by a viewer that has not seen the confirmation.
    if (number <= this.#taken) return false;
    if (number !== this.#taken + 1) {
      throw new TerminalError("malformed", `input ${number}, wanted ${this.#taken + 1}`);
    }
    this.#taken = number;
    return true;
  }

  confirm(): void {
    if (this.#confirmed === this.#taken) return;
    this.#confirmed = this.#taken;
    this.#tell({ type: "taken", taken: this.#taken });
  }

  end(): void {
    if (this.#connection === undefined) return;
    this.#tell({ type: "ended" });
    endConnection(this.#connection);
  }

  #tell(event: Exclude<TerminalEvent, { readonly type: "output" }>): void {
    if (this.#connection !== undefined) writeOutput(this.#connection, [encodeTerminalFrame(event)]);
  }
}

/** Notifies a viewer that the terminal that it wants to resume is gone. */
export function refuseUnknown(connection: AcceptedConnection, viewerId: string): void {
  connection.write(encodeTerminalGreeting(viewerId));
  connection.write(encodeTerminalFrame({ type: "unknown" }));
  endConnection(connection);
}
