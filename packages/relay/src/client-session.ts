import {
  DerpError,
  type DerpFrame,
  DerpFrameReader,
  DerpFrameType,
  derpHeaderBytes,
  derpKeyBytes,
  derpNonceBytes,
  encodeDerpFrame,
  encodeServerInfo,
  forwardSentPacket,
  isDiscoPacket,
  maxClientFrameBytes,
  parseClientInfo,
  parseDerpFrame,
  PeerGoneReason,
  receiveForwardedPacket,
  receiveSentPacket,
} from "@slipway/wire";

import type { CloseReason } from "./counters.ts";
import type { KeyPair } from "./crypto.ts";
import type { Directory } from "./directory.ts";
import { isKey, isZeroKey, keyText } from "./keys.ts";
import {
  keepAliveMs,
  keepAliveSpreadMs,
  loginTimeoutMs,
  maxLoginBytes,
  maxMeshNoticeBytes,
  maxNoticeBytes,
  unreadTimeoutMs,
} from "./limits.ts";
import { Outbox } from "./outbox.ts";
import type { RelayParts } from "./parts.ts";
import type { Peer, PeerConnection } from "./peer.ts";
import { TokenBucket } from "./token-bucket.ts";
import type { RelaySession, RelayTransport } from "./transport.ts";

const packetOffset = derpHeaderBytes + derpKeyBytes;
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
export class ClientSession implements RelaySession, PeerConnection {
  readonly #parts: RelayParts;
  readonly #owner: SessionOwner;
  readonly #transport: RelayTransport;
  readonly #reader = new DerpFrameReader(maxLoginBytes);
  readonly #outbox: Outbox;
  #state: State;
  #keepAliveAtMs = Infinity;
  #keepAliveEveryMs = keepAliveMs;
  /** The destination of the last packet; most packets go where the one before went. */
  #lastDestination: Peer<ClientSession> | undefined;
  /** The bytes that it may send; undefined without a limit. */
  readonly #rate: TokenBucket | undefined;
  /** Notices about unknown destinations (docs/protocol/tailnet.md §4.7). */
  readonly #unknownNotices: TokenBucket;
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
      this.#rate = new TokenBucket(maxBytesPerSecond, maxBytesPerSecond, nowMs);
    }
    this.#unknownNotices = new TokenBucket(1, 3, nowMs);
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

  /** Adds a frame of a packet to what waits for this client. */
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
        state.peer.activate(this);
        if (bytes[start] === DerpFrameType.sendPacket) {
          return this.#relayPacket(state.peer, bytes, start, end);
        }
        return this.#onOtherFrame(bytes, start, end);
      case "mesh":
        if (bytes[start] === DerpFrameType.forwardPacket) {
          return this.#acceptForwarded(bytes, start, end);
        }
        return this.#onMeshFrame(bytes, start, end);
      case "closed":
    }
  };

  #login(frame: DerpFrame | undefined, { privateKey }: KeyPair): void {
    if (frame?.type !== "client-info" || isZeroKey(frame.key)) return this.close("login-refused");
    const { crypto, clock, counters } = this.#parts;
    const { key, nonce, box } = frame;
    const json = crypto.openBox(box, { nonce, publicKey: key, privateKey });
    if (json === undefined) return this.close("login-refused");
    const isMesh = this.#owner.isFromMesh(parseClientInfo(json).meshKey, key);
    if (isMesh && this.#owner.isOwnKey(key)) return this.close("own-relay");
    this.#reader.limitPayload(maxClientFrameBytes);
    this.#keepAliveEveryMs += Math.random() * keepAliveSpreadMs;
    this.#keepAliveAtMs = clock.monotonic() + this.#keepAliveEveryMs;
    counters.logins += 1;
    const info = encodeServerInfo({ bytesPerSecond: undefined, burstBytes: undefined });
    const answerNonce = crypto.randomBytes(derpNonceBytes);
    const answer = crypto.sealBox(info, { nonce: answerNonce, publicKey: key, privateKey });
    this.notify(encodeDerpFrame({ type: "server-info", nonce: answerNonce, box: answer }));
    if (isMesh) {
      counters.links += 1;
      this.#state = { type: "mesh" };
      this.#outbox.allowNotices(maxMeshNoticeBytes);
    } else {
      counters.clients += 1;
      this.#state = { type: "client", peer: this.#owner.directory.add(new Uint8Array(key), this) };
    }
  }

  #relayPacket(source: Peer<ClientSession>, bytes: Uint8Array, start: number, end: number): void {
    if (end - start < packetOffset) parseDerpFrame(bytes, start, end);
    const { counters } = this.#parts;
    counters.packets += 1;
    counters.packetBytes += end - start;
    const destination = this.#findDestination(source, bytes, start + derpHeaderBytes);
    const isDisco = isDiscoPacket(bytes, start + packetOffset, end);
    const flowKey = isDisco ? source.discoFlowKey : source.flowKey;
    const receiver = destination?.connections.at(-1);
    if (receiver !== undefined) {
      receiveSentPacket(bytes, start, source.key);
      return receiver.deliver(flowKey, bytes, start, end);
    }
    const link = this.#owner.directory.findLink(keyText(bytes, start + derpHeaderBytes));
    const key = bytes.subarray(start + derpHeaderBytes, start + packetOffset);
    if (link !== undefined) {
      counters.forwardedPackets += 1;
      const keys = { source: source.key, destination: key };
      return link.forward(flowKey, forwardSentPacket(bytes, { start, end }, keys));
    }
    counters.droppedPackets.unknownDestination += 1;
    if (!isDisco || !this.#unknownNotices.tryTake(this.#parts.clock.monotonic())) return;
    const reason = PeerGoneReason.notHere;
    this.notify(encodeDerpFrame({ type: "peer-gone", key, reason }));
  }

  #findDestination(
    source: Peer<ClientSession>,
    bytes: Uint8Array,
    at: number,
  ): Peer<ClientSession> | undefined {
    const last = this.#lastDestination;
    if (last !== undefined && !last.isGone && isKey(bytes, at, last.key)) return last;
    const found = this.#owner.directory.find(keyText(bytes, at));
    this.#lastDestination = found;
    if (found !== undefined) source.rememberDestination(found);
    return found;
  }

  #acceptForwarded(bytes: Uint8Array, start: number, end: number): void {
    if (end - start < packetOffset + derpKeyBytes) parseDerpFrame(bytes, start, end);
    const source = keyText(bytes, start + derpHeaderBytes);
    const peer = this.#owner.directory.find(keyText(bytes, start + packetOffset));
    const receiver = peer?.connections.at(-1);
    if (receiver === undefined) {
      this.#parts.counters.droppedPackets.unknownDestination += 1;
      return;
    }
    const isDisco = isDiscoPacket(bytes, start + packetOffset + derpKeyBytes, end);
    const begin = receiveForwardedPacket(bytes, start);
    receiver.deliver(isDisco ? `${source}disco` : source, bytes, begin, end);
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
