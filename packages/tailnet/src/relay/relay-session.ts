import type { Clock } from "@slipway/runtime";
import { DerpError } from "@slipway/wire/derp/errors";
import type { DerpFrame } from "@slipway/wire/derp/frame";
import { encodeDerpFrame, parseDerpFrame } from "@slipway/wire/derp/frame";
import { DerpFrameReader } from "@slipway/wire/derp/frame-reader";
import {
  derpNonceBytes,
  DerpFrameType,
  maxDerpPacketBytes,
  maxServerFrameBytes,
} from "@slipway/wire/derp/header";
import { encodeClientInfo, parseServerInfo } from "@slipway/wire/derp/login";
import type { ServerInfo } from "@slipway/wire/derp/login";

import { RelayError } from "./errors.ts";
import {
  batchBytes,
  checkTimeoutMs,
  maxGreetingBytes,
  maxNoticeBytes,
  packetOverheadBytes,
  silenceTimeoutMs,
  unreadTimeoutMs,
} from "./limits.ts";
import type { LoginCrypto, RelayIdentity } from "./login-crypto.ts";
import { ReceivedPackets, type TakePackets } from "./packets.ts";
import type { RelayReceiver, RelayStream } from "./relay-stream.ts";
import type { SendQueue } from "./send-queue.ts";

/*
 *   greeting --server key, sends its login--> login --server info--> open --end--> closed
 */
type State =
  | { readonly type: "greeting" }
  | { readonly type: "login"; readonly boxKey: Uint8Array }
  | { readonly type: "open" }
  | { readonly type: "closed" };

/** The owner of a session, which is notified of its events; `ended` is the last call. */
export interface SessionOwner {
  opened(info: ServerInfo): void;
  packets: TakePackets;
  peerGone(key: Uint8Array, reason: number): void;
  health(problem: string): void;
  restarting(reconnectInMs: number): void;
  /** Called when the deadline has moved forward. */
  hurried(): void;
  ended(error: RelayError): void;
}

interface SessionNeeds {
  readonly stream: RelayStream;
  readonly identity: RelayIdentity;
  readonly crypto: LoginCrypto;
  readonly clock: Pick<Clock, "monotonic">;
  /** The frames to send, which outlive the session. */
  readonly queue: SendQueue;
  readonly isHome: boolean;
  /** The time by which the login must be complete. */
  readonly loginByMs: number;
  readonly owner: SessionOwner;
}

/** A client's end of one connection to a relay (docs/protocol/tailnet.md §4.4, §4.5). */
export class RelaySession implements RelayReceiver {
  readonly #needs: SessionNeeds;
  readonly #reader = new DerpFrameReader(maxGreetingBytes);
  readonly #packets: ReceivedPackets;
  #state: State = { type: "greeting" };
  #isHome: boolean;
  #notices: Uint8Array[] = [];
  #noticeBytes = 0;
  #isFlushDue = false;
  #drained: (() => void) | undefined;
  #heardAtMs: number;
  /** The time by which bytes in flight must have left, and a ping must be answered. */
  #sentByMs = Infinity;
  #answerByMs = Infinity;

  constructor(needs: SessionNeeds) {
    this.#needs = needs;
    this.#isHome = needs.isHome;
    this.#packets = new ReceivedPackets(needs.owner.packets);
    this.#heardAtMs = needs.clock.monotonic();
  }

  /** The time at which the relay counts as lost if nothing happens. */
  get deadlineMs(): number {
    if (this.#state.type !== "open") return this.#needs.loginByMs;
    return Math.min(this.#heardAtMs + silenceTimeoutMs, this.#sentByMs, this.#answerByMs);
  }

  receive(chunk: Uint8Array): void {
    if (this.#state.type === "closed") return;
    try {
      this.#reader.read(chunk, this.#onFrame);
    } catch (error) {
      if (!(error instanceof DerpError)) throw error;
      this.#fail(`the relay violated the protocol: ${error.message}`, error);
    }
    this.#packets.flush();
  }

  closed(reason: string | undefined): void {
    const why = reason === undefined ? "" : `: ${reason}`;
    this.#fail(`the relay closed the connection${why}`);
  }

  /** Sends what waits in the queue at the end of this turn. */
  flushSoon(): void {
    if (this.#isFlushDue || this.#state.type === "closed") return;
    this.#isFlushDue = true;
    queueMicrotask(() => {
      this.#isFlushDue = false;
      this.#flush();
    });
  }

  setHome(isHome: boolean): void {
    if (isHome === this.#isHome) return;
    this.#isHome = isHome;
    if (this.#state.type !== "greeting") this.#notePreferred();
  }

  /** Asks the relay for an answer, without which the connection ends after a while. */
  check(): void {
    if (this.#state.type !== "open" || this.#answerByMs !== Infinity) return;
    const { clock, crypto, owner } = this.#needs;
    this.#answerByMs = clock.monotonic() + checkTimeoutMs;
    this.#notify({ type: "ping", data: crypto.randomBytes(8) });
    owner.hurried();
  }

  /** Ends the session if its deadline has passed. */
  tick(nowMs: number): void {
    if (nowMs < this.deadlineMs) return;
    if (this.#state.type !== "open") this.#fail("the relay did not complete the login in time");
    else if (nowMs >= this.#sentByMs) this.#fail("the relay does not read what it is sent");
    else this.#fail("the relay is silent");
  }

  /** Resolves when everything has been sent, or the session has ended. */
  async drain(): Promise<void> {
    if (this.#state.type !== "open" || this.#isDrained) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#drained = resolve;
    this.flushSoon();
    await promise;
  }

  /** Closes the stream after what was sent. */
  end(): void {
    this.#end(new RelayError("session", "closed"), () => this.#needs.stream.end());
  }

  destroy(): void {
    this.#fail("closed");
  }

  get #isDrained(): boolean {
    return this.#sentByMs === Infinity && this.#needs.queue.bytes === 0;
  }

  readonly #onFrame = (bytes: Uint8Array, start: number, end: number): void => {
    if (this.#state.type === "closed") return;
    this.#heardAtMs = this.#needs.clock.monotonic();
    this.#answerByMs = Infinity;
    if (this.#state.type === "open" && bytes[start] === DerpFrameType.recvPacket) {
      return this.#onPacket(bytes, start, end);
    }
    this.#packets.flush();
    const frame = parseDerpFrame(bytes, start, end);
    if (frame !== undefined) this.#onOtherFrame(this.#state, frame);
  };

  #onPacket(bytes: Uint8Array, start: number, end: number): void {
    const packetBytes = end - start - packetOverheadBytes;
    if (packetBytes < 0) parseDerpFrame(bytes, start, end);
    if (packetBytes > maxDerpPacketBytes) {
      return this.#fail(
        `the relay sent a packet of ${String(packetBytes)} bytes, wanted at most ${String(maxDerpPacketBytes)}`,
      );
    }
    this.#packets.add(bytes, start, end);
  }

  #onOtherFrame(state: State, frame: DerpFrame): void {
    switch (state.type) {
      case "greeting":
        if (frame.type === "server-key") return this.#login(frame.key);
        return this.#fail(`the relay began with a ${frame.type} frame, wanted its key`);
      case "login":
        if (frame.type === "server-info") return this.#accept(state.boxKey, frame.nonce, frame.box);
        // A relay may report its state at any time; packets come after its answer.
        return;
      case "open":
        return this.#onNotice(frame);
      case "closed":
    }
  }

  #login(serverKey: Uint8Array): void {
    const { crypto, identity } = this.#needs;
    const boxKey = crypto.boxKey(identity.privateKey, serverKey);
    if (boxKey === undefined) return this.#fail("the relay's key is unusable");
    const nonce = crypto.randomBytes(derpNonceBytes);
    const info = encodeClientInfo({ meshKey: "", canAckPings: true });
    const box = crypto.sealBox(boxKey, nonce, info);
    this.#state = { type: "login", boxKey };
    this.#reader.limitPayload(maxServerFrameBytes);
    this.#notify({ type: "client-info", key: identity.publicKey, nonce, box });
    if (this.#isHome) this.#notePreferred();
  }

  #accept(boxKey: Uint8Array, nonce: Uint8Array, box: Uint8Array): void {
    const json = this.#needs.crypto.openBox(boxKey, nonce, box);
    if (json === undefined) return this.#fail("the relay does not own the key that it sent");
    const info = parseServerInfo(json);
    this.#state = { type: "open" };
    this.#needs.owner.opened(info);
    this.flushSoon();
  }

  #onNotice(frame: DerpFrame): void {
    const { owner } = this.#needs;
    // Keep-alives and pongs count as heard; the other frames are not for clients.
    if (frame.type === "ping") this.#notify({ type: "pong", data: frame.data });
    else if (frame.type === "peer-gone") owner.peerGone(frame.key, frame.reason);
    else if (frame.type === "health") owner.health(frame.problem);
    else if (frame.type === "restarting") owner.restarting(frame.reconnectInMs);
  }

  #notePreferred(): void {
    this.#notify({ type: "note-preferred", isPreferred: this.#isHome });
  }

  /** Sends a frame before all packets; dropped if too many wait. */
  #notify(frame: DerpFrame): void {
    const bytes = encodeDerpFrame(frame);
    if (this.#noticeBytes + bytes.length > maxNoticeBytes) return;
    this.#notices.push(bytes);
    this.#noticeBytes += bytes.length;
    this.flushSoon();
  }

  #flush(): void {
    const { stream, queue, clock, owner } = this.#needs;
    if (this.#state.type === "closed" || this.#sentByMs !== Infinity) return;
    const pieces = this.#notices;
    this.#notices = [];
    this.#noticeBytes = 0;
    if (this.#state.type === "open") pieces.push(...queue.take(batchBytes));
    if (pieces.length === 0) {
      this.#drained?.();
      return;
    }
    this.#sentByMs = clock.monotonic() + unreadTimeoutMs;
    owner.hurried();
    stream.send(pieces, () => {
      this.#sentByMs = Infinity;
      this.#flush();
    });
  }

  #fail(message: string, cause?: unknown): void {
    const rung = this.#state.type === "open" ? "session" : "login";
    const error = new RelayError(rung, message, cause === undefined ? {} : { cause });
    this.#end(error, () => this.#needs.stream.destroy());
  }

  #end(error: RelayError, close: () => void): void {
    if (this.#state.type === "closed") return;
    this.#packets.flush();
    this.#state = { type: "closed" };
    this.#notices = [];
    this.#drained?.();
    close();
    this.#needs.owner.ended(error);
  }
}
