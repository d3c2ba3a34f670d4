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

/** The output that may be under way to a viewer; more waits until the viewer says what has come. */
export const windowBytes = 1024 * 1024;

/**
 * A viewer that may lose its connection and go on by another one at the same byte (docs/protocol/agent.md §7.1):
 *
 *   connected ──loss──► lost ──resume──► connected
 */
export class ResumableViewer implements Viewer {
  readonly id: string;
  #connection: AcceptedConnection | undefined;
  /** The positions up to which it was sent output, and has received it. */
  #sent = 0;
  #received = 0;
  /** The numbers of the newest input that was accepted, and of the newest that it knows to be typed. */
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

  /** Goes on by a connection. The one before is cut off. */
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

  /** Notes the end of a connection, which may not be the present one. */
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
    // It was sent again by a viewer that did not know.
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

/** Tells a viewer that the terminal that it wants to go on with is not there anymore. */
export function refuseUnknown(connection: AcceptedConnection, viewerId: string): void {
  connection.write(encodeTerminalGreeting(viewerId));
  connection.write(encodeTerminalFrame({ type: "unknown" }));
  endConnection(connection);
}
