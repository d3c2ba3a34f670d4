import { Mailbox } from "@slipway/runtime";
import type { RunEvent } from "@slipway/wire/services/run-frames";

/** The output that may wait for a slow reader, in bytes; more waits with the agent. */
const maxWaitingBytes = 4 * 1024 * 1024;
const maxWaitingEvents = 16_384;

/** The events of one connection that wait for their reader. A full queue takes no more, for good. */
export class EventQueue implements AsyncIterable<RunEvent> {
  readonly #events = new Mailbox<RunEvent>(maxWaitingEvents);
  #waitingBytes = 0;
  #isFull = false;

  /** True once an event was not taken. */
  get isFull(): boolean {
    return this.#isFull;
  }

  /** Adds an event; returns false if there is no room for it, nor for those that follow. */
  offer(event: RunEvent): boolean {
    if (this.#isFull) return false;
    const bytes = sizeOf(event);
    if (this.#waitingBytes + bytes > maxWaitingBytes || this.#events.offer(event) === "full") {
      this.#isFull = true;
      this.#events.close();
      return false;
    }
    this.#waitingBytes += bytes;
    return true;
  }

  close(): void {
    this.#events.close();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<RunEvent, void, undefined> {
    for await (const event of this.#events) {
      this.#waitingBytes -= sizeOf(event);
      yield event;
    }
  }
}

function sizeOf(event: RunEvent): number {
  return event.type === "output" ? event.bytes.length : 0;
}
