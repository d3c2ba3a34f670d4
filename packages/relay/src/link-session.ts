import {
  DerpError,
  type DerpFrame,
  DerpFrameReader,
  derpNonceBytes,
  encodeClientInfo,
  encodeDerpFrame,
  maxServerFrameBytes,
  parseDerpFrame,
  parseServerInfo,
} from "@slipway/wire";

import type { CloseReason } from "./counters.ts";
import type { KeyPair } from "./crypto.ts";
import type { PeerLink } from "./directory.ts";
import { keyText } from "./keys.ts";
import {
  loginTimeoutMs,
  maxAnnouncedKeys,
  maxNoticeBytes,
  silentLinkMs,
  unreadTimeoutMs,
} from "./limits.ts";
import { meshProof } from "./mesh-proof.ts";
import { Outbox } from "./outbox.ts";
import type { RelayParts } from "./parts.ts";
import type { RelaySession, RelayTransport } from "./transport.ts";

/*
 *   greeting --server key, sends its login--> login --server info, asks to watch--> watching --close--> closed
 */
type State =
  | { readonly type: "greeting" }
  | { readonly type: "login"; readonly serverKey: Uint8Array }
  | { readonly type: "watching" }
  | { readonly type: "closed" };

interface LinkOwner {
  readonly keys: KeyPair;
  readonly meshKey: string;
  announce(key: string, link: PeerLink): void;
  withdraw(key: string, link: PeerLink): void;
  ended(session: LinkSession): void;
}

/** This relay's end of a link to another one, where it is a client (docs/protocol/tailnet.md §4.8). */
export class LinkSession implements RelaySession, PeerLink {
  readonly #parts: RelayParts;
  readonly #owner: LinkOwner;
  readonly #transport: RelayTransport;
  readonly #reader = new DerpFrameReader(maxServerFrameBytes);
  readonly #outbox: Outbox;
  readonly #announced = new Set<string>();
  #state: State = { type: "greeting" };
  #heardAtMs: number;
  readonly #openedAtMs: number;

  constructor(parts: RelayParts, owner: LinkOwner, transport: RelayTransport) {
    const { counters, clock, turns } = parts;
    this.#parts = parts;
    this.#owner = owner;
    this.#transport = transport;
    // It carries the packets of many clients.
    const maxQueuedBytesPerClient = parts.limits.maxQueuedBytes / 8;
    const limits = { ...parts.limits, maxQueuedBytesPerClient };
    this.#outbox = new Outbox({ transport, limits, counters, clock, maxNoticeBytes, turns });
    this.#openedAtMs = clock.monotonic();
    this.#heardAtMs = this.#openedAtMs;
  }

  get isClosed(): boolean {
    return this.#state.type === "closed";
  }

  receive(chunk: Uint8Array): void {
    if (this.isClosed) return;
    this.#heardAtMs = this.#parts.clock.monotonic();
    try {
      this.#reader.read(chunk, (bytes, start, end) => {
        const frame = parseDerpFrame(bytes, start, end);
        if (frame !== undefined) this.#onFrame(frame);
      });
    } catch (error) {
      if (!(error instanceof DerpError)) throw error;
      this.#parts.logger.debug({ error: error.message }, "another relay broke the protocol");
      this.close("protocol-error");
    }
  }

  closed(): void {
    if (this.isClosed) return;
    if (this.#state.type === "watching") this.#parts.counters.links -= 1;
    this.#state = { type: "closed" };
    this.#outbox.close();
    for (const key of this.#announced) this.#owner.withdraw(key, this);
    this.#announced.clear();
    this.#owner.ended(this);
  }

  close(reason: CloseReason): void {
    if (this.isClosed) return;
    this.#parts.counters.closed[reason] += 1;
    this.closed();
    this.#transport.destroy();
  }

  forward(flowKey: string, frame: Uint8Array): boolean {
    return this.#outbox.addPacket(flowKey, frame, 0, frame.length) === "first";
  }

  tick(nowMs: number): void {
    if (this.#state.type !== "watching" && nowMs - this.#openedAtMs >= loginTimeoutMs) {
      return this.close("login-timeout");
    }
    if (this.#outbox.unreadMs() > unreadTimeoutMs) return this.close("unread-output");
    if (nowMs - this.#heardAtMs >= silentLinkMs) this.close("silent-link");
  }

  #onFrame(frame: DerpFrame): void {
    const state = this.#state;
    switch (state.type) {
      case "greeting":
        return frame.type === "server-key" ? this.#login(frame.key) : this.close("protocol-error");
      case "login":
        if (frame.type !== "server-info") return this.close("protocol-error");
        return this.#accept(frame.nonce, frame.box, state.serverKey);
      case "watching":
        return this.#onNotice(frame);
      case "closed":
    }
  }

  #login(serverKey: Uint8Array): void {
    const { crypto } = this.#parts;
    const { keys, meshKey } = this.#owner;
    const { privateKey, publicKey: key } = keys;
    const nonce = crypto.randomBytes(derpNonceBytes);
    const proof = meshProof(meshKey, { serverKey, clientKey: key });
    const info = encodeClientInfo({ meshKey: proof, canAckPings: true });
    const box = crypto.sealBox(info, { nonce, publicKey: serverKey, privateKey });
    this.#state = { type: "login", serverKey: new Uint8Array(serverKey) };
    this.#send({ type: "client-info", key, nonce, box });
  }

  #accept(nonce: Uint8Array, box: Uint8Array, publicKey: Uint8Array): void {
    const { privateKey } = this.#owner.keys;
    const json = this.#parts.crypto.openBox(box, { nonce, publicKey, privateKey });
    if (json === undefined) return this.close("login-refused");
    parseServerInfo(json);
    this.#parts.counters.links += 1;
    this.#state = { type: "watching" };
    this.#send({ type: "watch-conns" });
  }

  #onNotice(frame: DerpFrame): void {
    if (frame.type === "peer-present") {
      this.#announce(keyText(frame.key, 0));
    } else if (frame.type === "peer-gone") {
      const key = keyText(frame.key, 0);
      if (this.#announced.delete(key)) this.#owner.withdraw(key, this);
    } else if (frame.type === "ping") {
      this.#send({ type: "pong", data: frame.data });
    }
  }

  #announce(key: string): void {
    if (this.#announced.has(key)) return;
    if (this.#announced.size >= maxAnnouncedKeys) return this.close("protocol-error");
    this.#announced.add(key);
    this.#owner.announce(key, this);
  }

  #send(frame: DerpFrame): void {
    this.#outbox.addNotice(encodeDerpFrame(frame));
  }
}
