import { DerpError } from "@slipway/wire/derp/errors";
import type { DerpFrame } from "@slipway/wire/derp/frame";
import { encodeDerpFrame, parseDerpFrame } from "@slipway/wire/derp/frame";
import { DerpFrameReader } from "@slipway/wire/derp/frame-reader";
import { derpNonceBytes, maxServerFrameBytes } from "@slipway/wire/derp/header";
import { encodeClientInfo, parseServerInfo } from "@slipway/wire/derp/login";

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
import { deriveLinkSecrets, encodeMeshLogin, type LinkEnds } from "./mesh-login.ts";
import { Outbox } from "./outbox.ts";
import type { RelayParts } from "./parts.ts";
import { SealedLink } from "./sealed-link.ts";
import type { RelayLink, RelayTransport } from "./transport.ts";

/*
 *   greeting --server key, sends its login--> login --server info--> proving --sealed frame, asks to watch--> watching
 *   any --close--> closed
 */
type State =
  | { readonly type: "greeting" }
  | { readonly type: "login"; readonly serverKey: Uint8Array }
  | { readonly type: "proving"; readonly link: SealedLink }
  | { readonly type: "watching"; readonly link: SealedLink }
  | { readonly type: "closed" };

interface LinkOwner {
  readonly meshKey: string;
  /** The ids of this relay and of the one that it wants to reach. */
  readonly clientId: string;
  readonly serverId: string;
  announce(key: string, link: PeerLink): void;
  withdraw(key: string, link: PeerLink): void;
  ended(session: LinkSession): void;
}

/** This relay's end of a link to another one, where it is a client (docs/protocol/tailnet.md §4.8). */
export class LinkSession implements RelayLink, PeerLink {
  readonly #parts: RelayParts;
  readonly #owner: LinkOwner;
  readonly #transport: RelayTransport;
  readonly #reader = new DerpFrameReader(maxServerFrameBytes);
  readonly #outbox: Outbox;
  readonly #announced = new Set<string>();
  /** Used for this connection only. */
  readonly #keys: KeyPair;
  #state: State = { type: "greeting" };
  #isRefused = false;
  #heardAtMs: number;
  readonly #openedAtMs: number;

  constructor(parts: RelayParts, owner: LinkOwner, transport: RelayTransport) {
    const { counters, clock, turns } = parts;
    this.#parts = parts;
    this.#owner = owner;
    this.#transport = transport;
    this.#keys = parts.crypto.createKeyPair();
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

  get isRefused(): boolean {
    return this.#isRefused;
  }

  receive(chunk: Uint8Array): void {
    if (this.isClosed) return;
    this.#heardAtMs = this.#parts.clock.monotonic();
    try {
      this.#reader.read(chunk, this.#onFrame);
    } catch (error) {
      if (!(error instanceof DerpError)) throw error;
      this.#parts.logger.debug({ error: error.message }, "another relay violated the protocol");
      this.close("protocol-error");
    }
  }

  closed(): void {
    if (this.isClosed) return;
    const { type } = this.#state;
    if (type === "watching") this.#parts.counters.links -= 1;
    this.#isRefused = type === "login" || type === "proving";
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

  readonly #onFrame = (bytes: Uint8Array, start: number, end: number): void => {
    const state = this.#state;
    switch (state.type) {
      case "greeting":
      case "login":
        return this.#onLoginFrame(state, parseDerpFrame(bytes, start, end));
      case "proving":
      case "watching":
        if (!state.link.open(bytes, start, end, this.#onSealedFrame)) this.close("protocol-error");
        return undefined;
      case "closed":
    }
  };

  #onLoginFrame(
    state: Extract<State, { type: "greeting" | "login" }>,
    frame: DerpFrame | undefined,
  ): void {
    if (state.type === "greeting" && frame?.type === "server-key") this.#login(frame.key);
    else if (state.type === "login" && frame?.type === "server-info") {
      this.#accept(frame.nonce, frame.box, state.serverKey);
    } else this.close("protocol-error");
  }

  readonly #onSealedFrame = (bytes: Uint8Array, start: number, end: number): void => {
    const state = this.#state;
    if (state.type === "closed") return;
    if (state.type === "proving") {
      this.#parts.counters.links += 1;
      this.#state = { type: "watching", link: state.link };
      this.#send({ type: "watch-conns" });
    }
    const frame = parseDerpFrame(bytes, start, end);
    if (frame !== undefined) this.#onNotice(frame);
  };

  #login(serverKey: Uint8Array): void {
    const { crypto } = this.#parts;
    const { privateKey, publicKey: key } = this.#keys;
    const nonce = crypto.randomBytes(derpNonceBytes);
    const login = encodeMeshLogin(this.#owner.meshKey, this.#endsWith(serverKey));
    const info = encodeClientInfo({ meshKey: login, canAckPings: true });
    const box = crypto.sealBox(info, { nonce, publicKey: serverKey, privateKey });
    this.#state = { type: "login", serverKey: new Uint8Array(serverKey) };
    this.#send({ type: "client-info", key, nonce, box });
    this.#outbox.flush();
  }

  #accept(nonce: Uint8Array, box: Uint8Array, publicKey: Uint8Array): void {
    const { crypto } = this.#parts;
    const { meshKey } = this.#owner;
    const { privateKey } = this.#keys;
    const json = crypto.openBox(box, { nonce, publicKey, privateKey });
    const secret = crypto.sharedSecret({ publicKey, privateKey });
    if (json === undefined || secret === undefined) return this.close("login-refused");
    parseServerInfo(json);
    const secrets = deriveLinkSecrets(meshKey, secret, this.#endsWith(publicKey));
    const keys = { send: secrets.toServer, receive: secrets.toClient };
    const link = new SealedLink(crypto, keys, maxServerFrameBytes);
    this.#state = { type: "proving", link };
    this.#outbox.useTransport({
      send: (pieces, sent) => this.#transport.send(link.seal(pieces), sent),
    });
  }

  #endsWith(serverKey: Uint8Array): LinkEnds {
    const { clientId, serverId } = this.#owner;
    return { clientId, serverId, clientKey: this.#keys.publicKey, serverKey };
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
