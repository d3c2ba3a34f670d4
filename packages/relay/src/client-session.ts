import { TokenBucket } from "@slipway/runtime";
import {
  DerpError,
  type DerpFrame,
  DerpFrameReader,
  DerpFrameType,
  encodeDerpFrame,
  maxClientFrameBytes,
  parseDerpFrame,
} from "@slipway/wire";

import type { CloseReason } from "./counters.ts";
import type { KeyPair } from "./crypto.ts";
import type { Directory } from "./directory.ts";
import { keyText } from "./keys.ts";
import {
  keepAliveMs,
  keepAliveSpreadMs,
  loginTimeoutMs,
  maxLoginBytes,
  maxMeshNoticeBytes,
  maxNoticeBytes,
  unreadTimeoutMs,
} from "./limits.ts";
import { encodeLoginAnswer, readLogin } from "./login.ts";
import { Outbox } from "./outbox.ts";
import { type PacketReceiver, PacketRouter } from "./packet-router.ts";
import type { RelayParts } from "./parts.ts";
import type { Peer } from "./peer.ts";
import type { RelaySession, RelayTransport } from "./transport.ts";

/** Frames that only other relays may send. */
const meshFrames: ReadonlySet<DerpFrame["type"]> = new Set([
  "forward-packet",
  "watch-conns",
  "close-peer",
]);
const keepAliveFrame = encodeDerpFrame({ type: "keep-alive" });

/*
 *   greeted --client info--> client --close--> closed
 *       \        \--as a relay of the mesh--> mesh --close--> closed
 *        \--10 s, any other frame, a box that does not open--> closed
 */
type State =
  | { readonly type: "greeted"; readonly keys: KeyPair; readonly untilMs: number }
  | { readonly type: "client"; readonly peer: Peer<ClientSession> }
  | { readonly type: "mesh" }
  | { readonly type: "closed" };

/** The relay that a session belongs to. */
interface SessionOwner {
  readonly directory: Directory<ClientSession>;
  /** Returns whether a client's login proves that it is another relay of the mesh. */
  isFromMesh(proof: string, clientKey: Uint8Array): boolean;
  /** Returns whether a key is the one by which this relay logs in to others. */
  isOwnKey(key: Uint8Array): boolean;
  ended(session: ClientSession): void;
  /** Calls `act` after a while, unless the relay is closed first. */
  after(ms: number, act: () => void): void;
}

/** The relay's end of one client's connection, or of a link from another relay. */
export class ClientSession implements RelaySession, PacketReceiver {
  readonly #parts: RelayParts;
  readonly #owner: SessionOwner;
  readonly #transport: RelayTransport;
  readonly #reader = new DerpFrameReader(maxLoginBytes);
  readonly #outbox: Outbox;
  #state: State;
  #keepAliveAtMs = Infinity;
  #keepAliveEveryMs = keepAliveMs;
  readonly #router: PacketRouter<ClientSession>;
  /** The bytes that it may send; undefined without a limit. */
  readonly #rate: TokenBucket | undefined;
  #isWatching = false;

  constructor(
    parts: RelayParts,
    owner: SessionOwner,
    { transport, keys }: { readonly transport: RelayTransport; readonly keys: KeyPair },
  ) {
    const { limits, counters, clock } = parts;
    const nowMs = clock.monotonic();
    this.#parts = parts;
    this.#owner = owner;
    this.#transport = transport;
    this.#state = { type: "greeted", keys, untilMs: nowMs + loginTimeoutMs };
    this.#outbox = new Outbox({ transport, limits, counters, clock, maxNoticeBytes });
    const { maxBytesPerSecond } = limits;
    if (maxBytesPerSecond !== Infinity) {
      this.#rate = new TokenBucket({ burst: maxBytesPerSecond, perSecond: maxBytesPerSecond });
    }
    this.#router = new PacketRouter(parts, owner.directory);
    this.notify(encodeDerpFrame({ type: "server-key", key: keys.publicKey }));
    this.#outbox.flush();
  }

  get isClosed(): boolean {
    return this.#state.type === "closed";
  }

  /** True if everything was handed to the system. */
  get isDrained(): boolean {
    return this.isClosed || this.#outbox.isIdle;
  }

  receive(chunk: Uint8Array): void {
    if (this.isClosed) return;
    try {
      this.#reader.read(chunk, this.#onFrame);
    } catch (error) {
      if (!(error instanceof DerpError)) throw error;
      this.#parts.logger.debug({ error: error.message }, "relay client broke the protocol");
      this.close("protocol-error");
    }
    this.#parts.outgoing.flush();
    this.#keepToRate(chunk.length);
  }

  closed(): void {
    if (this.isClosed) return;
    const state = this.#state;
    this.#state = { type: "closed" };
    this.#outbox.close();
    const { counters } = this.#parts;
    if (state.type === "client") {
      counters.clients -= 1;
      this.#owner.directory.remove(state.peer, this);
    } else if (state.type === "mesh") {
      counters.links -= 1;
      this.#owner.directory.unwatch(this);
    }
    this.#owner.ended(this);
    // Those it had sent packets to are told now.
    this.#parts.outgoing.flush();
  }

  close(reason: CloseReason): void {
    if (this.isClosed) return;
    this.#parts.counters.closed[reason] += 1;
    this.closed();
    this.#transport.destroy();
  }

  /** Closes after what was sent last, such as the notice of a restart. */
  end(): void {
    if (this.isClosed) return;
    this.#parts.counters.closed.shutdown += 1;
    this.closed();
    this.#transport.end();
  }

  notify(frame: Uint8Array): void {
    if (this.#outbox.addNotice(frame)) {
      this.#parts.outgoing.add(this.#outbox);
    } else if (this.#state.type === "mesh") this.close("unread-output");
  }

  evict(): void {
    this.close("too-many-connections");
  }

  deliver(flowKey: string, bytes: Uint8Array, start: number, end: number): void {
    this.#outbox.addPacket(flowKey, bytes, start, end);
    this.#parts.outgoing.add(this.#outbox);
  }

  /** Does what is due: keep-alives, and the ends of those that keep the relay waiting. */
  tick(nowMs: number): void {
    if (this.#state.type === "greeted" && nowMs >= this.#state.untilMs) {
      return this.close("login-timeout");
    }
    if (this.#outbox.unreadMs() > unreadTimeoutMs) return this.close("unread-output");
    if (nowMs < this.#keepAliveAtMs) return;
    this.#keepAliveAtMs = nowMs + this.#keepAliveEveryMs;
    this.notify(keepAliveFrame);
  }

  readonly #onFrame = (bytes: Uint8Array, start: number, end: number): void => {
    const state = this.#state;
    switch (state.type) {
      case "greeted":
        return this.#login(parseDerpFrame(bytes, start, end), state.keys);
      case "client":
        return this.#onClientFrame(state.peer, bytes, start, end);
      case "mesh":
        if (bytes[start] === DerpFrameType.forwardPacket) {
          return this.#router.acceptForwarded(bytes, start, end);
        }
        return this.#onMeshFrame(bytes, start, end);
      case "closed":
    }
  };

  #login(frame: DerpFrame | undefined, keys: KeyPair): void {
    const { crypto, clock, counters } = this.#parts;
    const login = readLogin(frame, keys, crypto);
    if (login === undefined) return this.close("login-refused");
    const { key } = login;
    const isMesh = this.#owner.isFromMesh(login.meshProof, key);
    if (isMesh && this.#owner.isOwnKey(key)) return this.close("own-relay");
    this.#reader.limitPayload(maxClientFrameBytes);
    this.#keepAliveEveryMs += Math.random() * keepAliveSpreadMs;
    this.#keepAliveAtMs = clock.monotonic() + this.#keepAliveEveryMs;
    counters.logins += 1;
    this.notify(encodeLoginAnswer(key, keys, crypto));
    if (isMesh) {
      counters.links += 1;
      this.#state = { type: "mesh" };
      this.#outbox.allowNotices(maxMeshNoticeBytes);
    } else {
      counters.clients += 1;
      this.#state = { type: "client", peer: this.#owner.directory.add(key, this) };
    }
  }

  #onClientFrame(peer: Peer<ClientSession>, bytes: Uint8Array, start: number, end: number): void {
    peer.activate(this);
    if (bytes[start] !== DerpFrameType.sendPacket) return this.#onOtherFrame(bytes, start, end);
    const notice = this.#router.relay(peer, bytes, start, end);
    if (notice !== undefined) this.notify(notice);
  }

  #onOtherFrame(bytes: Uint8Array, start: number, end: number): void {
    const frame = parseDerpFrame(bytes, start, end);
    if (frame === undefined) return;
    if (meshFrames.has(frame.type)) return this.close("protocol-error");
    // A preferred home changes nothing here; what else a server does not know is skipped.
    if (frame.type === "ping") this.notify(encodeDerpFrame({ type: "pong", data: frame.data }));
  }

  #onMeshFrame(bytes: Uint8Array, start: number, end: number): void {
    const frame = parseDerpFrame(bytes, start, end);
    if (frame?.type === "ping") {
      this.notify(encodeDerpFrame({ type: "pong", data: frame.data }));
    } else if (frame?.type === "watch-conns" && !this.#isWatching) {
      this.#isWatching = true;
      this.#owner.directory.watch(this);
    } else if (frame?.type === "close-peer") {
      const peer = this.#owner.directory.find(keyText(frame.key, 0));
      for (const one of peer?.connections.slice() ?? []) one.close("closed-by-mesh");
    }
  }

  /** Stops reading for as long as the client has sent more than its share. A link carries the packets of many. */
  #keepToRate(bytes: number): void {
    if (this.#state.type === "mesh") return;
    const waitMs = this.#rate?.take(bytes, this.#parts.clock.monotonic()) ?? 0;
    if (waitMs === 0 || this.isClosed) return;
    this.#transport.pause();
    this.#owner.after(waitMs, () => {
      if (!this.isClosed) this.#transport.resume();
    });
  }
}
