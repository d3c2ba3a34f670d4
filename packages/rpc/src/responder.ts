import { type Clock, errorText, type Logger } from "@slipway/runtime";
import type { YamuxEvent } from "@slipway/wire/yamux/events";

import { Admission, type SharedCalls } from "./admission.ts";
import type { RpcTable } from "./handler.ts";
import { responderLimits as limits, responderOutputLimits } from "./limits.ts";
import { normalClose, Pump, type PumpOptions, type PumpOwner } from "./pump.ts";
import { ResponderStream, type SessionParts } from "./responder-stream.ts";
import type { RpcSocket } from "./socket.ts";

/** The state of a session that its responder uses itself. */
export interface ResponderSession {
  /** Read only when there is something to log. */
  readonly logger: Logger;
}

export interface ResponderOptions {
  readonly clock: Clock;
  readonly shared: SharedCalls;
}

const pumpOptions: PumpOptions = {
  role: "server",
  output: responderOutputLimits,
  textMessage: { code: 1003, reason: "text message on a binary stream" },
};

/**
 * The end of a session that accepted it and answers: the RPCs of a table, one at a time on each yamux stream
 * (docs/protocol/rpc.md §3.2). Ends with the socket; the opener waits for `ended`.
 *
 * A peer that does not read its answers gets no more of them (backpressure): its calls wait, it gets no credit for
 * others, and after a while it is disconnected.
 */
export class Responder<S extends ResponderSession> implements PumpOwner {
  readonly #parts: SessionParts<S>;
  readonly #pump: Pump;
  readonly #streams = new Map<number, ResponderStream<S>>();
  /** Callbacks of pings that wait for their answer; created on demand. */
  #pongs: Map<number, () => void> | undefined;

  /** Passes `session` to each handler of `rpcs`. */
  constructor(
    socket: RpcSocket,
    rpcs: RpcTable<S>,
    session: S,
    { clock, shared }: ResponderOptions,
  ) {
    const chargeFrames = (count: number): number => shared.reserve(count * limits.frameCost);
    const pump = new Pump(socket, this, clock, { ...pumpOptions, chargeFrames });
    this.#pump = pump;
    const admission = new Admission(shared, clock, () => pump.isBlocked);
    this.#parts = {
      rpcs,
      session,
      pump,
      admission,
      clock,
      openUnfinished: (streamId) =>
        shared.openUnfinished((excess) => this.#cutOff(streamId, `unfinished request: ${excess}`)),
    };
  }

  /** Resolves to the reason once the session is over; never rejects. */
  get ended(): Promise<string> {
    return this.#pump.ended;
  }

  /** Sends a yamux ping; calls `onPong` when the peer answers. */
  ping(onPong: () => void): void {
    const id = this.#pump.ping();
    if (id === undefined) return;
    this.#pongs ??= new Map();
    this.#pongs.set(id, onPong);
  }

  /** Ends the session; the peer receives a close with 1000 (docs/protocol/rpc.md §1.3). */
  close(reason: string): void {
    this.#pump.end(reason, normalClose);
  }

  /** For the pump. */
  onEvent(event: YamuxEvent): void {
    switch (event.type) {
      case "opened":
        this.#streams.set(event.streamId, new ResponderStream(event.streamId, this.#parts));
        break;
      case "data":
        this.#receive(event.streamId, event.bytes);
        break;
      case "finished":
        // The caller has its answer, or no longer wants it; our FIN follows the caller's.
        this.#streams.get(event.streamId)?.cancel();
        this.#pump.finish(event.streamId);
        break;
      case "reset":
      case "closed":
        this.#forget(event.streamId);
        break;
      case "pong":
        this.#takePong(event.id)?.();
        break;
      case "accepted":
      case "writable":
      case "go-away":
        break;
    }
  }

  /** For the pump. */
  onDrained(): void {
    this.#parts.admission.advance();
  }

  /** For the pump. */
  onEnd(): void {
    for (const stream of this.#streams.values()) stream.close();
    this.#streams.clear();
  }

  #takePong(id: number): (() => void) | undefined {
    const onPong = this.#pongs?.get(id);
    this.#pongs?.delete(id);
    if (this.#pongs?.size === 0) this.#pongs = undefined;
    return onPong;
  }

  #receive(streamId: number, bytes: Uint8Array): void {
    const stream = this.#streams.get(streamId);
    if (stream === undefined) return;
    try {
      stream.receive(bytes);
    } catch (error) {
      this.#cutOff(streamId, errorText(error));
    }
  }

  #cutOff(streamId: number, error: string): void {
    this.#parts.session.logger.debug({ error }, "call cut off");
    this.#forget(streamId);
    this.#pump.reset(streamId);
  }

  #forget(streamId: number): void {
    this.#streams.get(streamId)?.close();
    this.#streams.delete(streamId);
  }
}
