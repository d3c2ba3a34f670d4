import type { Readable, Writable } from "node:stream";

import {
  isJSONRPCErrorResponse,
  isJSONRPCNotification,
  isJSONRPCRequest,
  isJSONRPCResultResponse,
  type JSONRPCMessage,
  serializeMessage,
  type Transport,
} from "@modelcontextprotocol/server";
import { StdioServerTransport } from "@modelcontextprotocol/server/stdio";
import { type Clock, settlesWithin, Waiters } from "@slipway/runtime";

/** The time for calls to finish after the end of the input. */
const finishMs = 60_000;

interface PatientTransportNeeds {
  readonly input: Readable;
  readonly output: Writable;
  readonly clock: Pick<Clock, "sleep">;
}

/**
 * The messages of a program at the other end of two streams. Unlike the library's transport, it stays open at the end of the
 * input until each request is answered: a script pipes its requests and reads the answers.
 */
export class PatientTransport implements Transport {
  onclose: (() => void) | undefined;
  onerror: ((error: Error) => void) | undefined;
  onmessage: ((message: JSONRPCMessage) => void) | undefined;
  /** Resolves once the transport has closed; never rejects. */
  readonly ended: Promise<void>;
  readonly #reader: StdioServerTransport;
  readonly #needs: PatientTransportNeeds;
  readonly #unanswered = new Set<unknown>();
  readonly #answered = new Waiters();
  readonly #closing = new AbortController();
  readonly #ended = Promise.withResolvers<void>();

  constructor(needs: PatientTransportNeeds) {
    this.#needs = needs;
    this.#reader = new StdioServerTransport(needs.input, needs.output);
    this.ended = this.#ended.promise;
  }

  async start(): Promise<void> {
    Object.assign(this.#reader, {
      onmessage: (message: JSONRPCMessage) => this.#receive(message),
      onerror: (error: Error) => this.onerror?.(error),
      onclose: () => void this.#finish(),
    } satisfies Partial<Transport>);
    await this.#reader.start();
  }

  async send(message: JSONRPCMessage): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#needs.output.write(serializeMessage(message), (error) =>
      error instanceof Error ? reject(error) : resolve(),
    );
    try {
      await promise;
    } finally {
      if (isJSONRPCResultResponse(message) || isJSONRPCErrorResponse(message)) {
        this.#settle(message.id);
      }
    }
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#reader.close();
    await this.ended;
  }

  #receive(message: JSONRPCMessage): void {
    if (isJSONRPCRequest(message)) this.#unanswered.add(message.id);
    // A canceled request gets no answer.
    else if (isJSONRPCNotification(message) && message.method === "notifications/cancelled") {
      this.#settle(message.params?.["requestId"]);
    }
    this.onmessage?.(message);
  }

  #settle(id: unknown): void {
    this.#unanswered.delete(id);
    this.#answered.wakeAll();
  }

  async #finish(): Promise<void> {
    const { signal } = this.#closing;
    await settlesWithin(this.#allAnswered(signal), finishMs, this.#needs.clock, signal);
    this.#closing.abort();
    this.onclose?.();
    this.#ended.resolve();
  }

  async #allAnswered(signal: AbortSignal): Promise<void> {
    while (this.#unanswered.size > 0 && !signal.aborted) await this.#answered.next(signal);
  }
}
