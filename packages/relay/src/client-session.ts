import { strangers as allStrangers, type UnfinishedShare } from "@slipway/runtime";
import { encodeHex } from "@slipway/wire/bytes/hex";
import { DerpError } from "@slipway/wire/derp/errors";
import type { DerpFrame } from "@slipway/wire/derp/frame";
import { encodeDerpFrame, parseDerpFrame } from "@slipway/wire/derp/frame";
import { DerpFrameType, maxClientFrameBytes } from "@slipway/wire/derp/header";

import type { CloseReason } from "./counters.ts";
import type { KeyPair } from "./crypto.ts";
import type { Directory } from "./directory.ts";
import { FrameInput } from "./frame-input.ts";
import { keyText } from "./keys.ts";
import {
  frameCostBytes,
  keepAliveMs,
  keepAliveSpreadMs,
  loginCostBytes,
  loginTimeoutMs,
  maxLoginBytes,
  maxMeshNoticeBytes,
  maxNoticeBytes,
  maxQueuedBytesPerStranger,
  maxRememberedDestinations,
  maxRememberedDestinationsOfStranger,
  receiverCostBytes,
  unreadTimeoutMs,
} from "./limits.ts";
import { encodeLoginAnswer, type Login, readLogin } from "./login.ts";
import { Outbox } from "./outbox.ts";
import { Pace, type StrangerBudgets } from "./pace.ts";
import { type PacketReceiver, PacketRouter } from "./packet-router.ts";
import type { RelayParts } from "./parts.ts";
import type { Peer } from "./peer.ts";
import type { SealedLink } from "./sealed-link.ts";
import type { Strangers, Visitor } from "./strangers.ts";
import type { RelaySession, RelayTransport } from "./transport.ts";
import type { Work } from "./turns.ts";

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
  | { readonly type: "mesh"; readonly link: SealedLink }
  | { readonly type: "closed" };

/** The relay that a session belongs to. */
interface SessionOwner {
  readonly directory: Directory<ClientSession>;
  /** Undefined if everyone counts as a peer. */
  readonly strangers: Strangers | undefined;
  readonly budgets: StrangerBudgets;
  /** Returns the link to a client that proves to be another relay of the mesh; undefined for other clients. */
  acceptLink(login: Login): SealedLink | "own-relay" | undefined;
  ended(session: ClientSession): void;
  /** Calls `act` after a while, unless the relay is closed first. */
  after(ms: number, act: () => void): void;
}

interface SessionOptions {
  readonly transport: RelayTransport;
  readonly keys: KeyPair;
  /** The address of the client; empty if it has none. */
  readonly address: string;
}

/** The relay's end of one client's connection, or of a link from another relay. */
export class ClientSession implements RelaySession, PacketReceiver, Visitor, Work {
  readonly address: string;
  readonly #parts: RelayParts;
  readonly #owner: SessionOwner;
  readonly #transport: RelayTransport;
  readonly #input = new FrameInput(maxLoginBytes);
  readonly #outbox: Outbox;
  readonly #pace: Pace;
  /** Counts the bytes of an incomplete frame. */
  #unfinished: UnfinishedShare;
  #state: State;
  #keepAliveAtMs = Infinity;
  #keepAliveEveryMs = keepAliveMs;
  readonly #router: PacketRouter<ClientSession>;
  #isWatching = false;
  /** The cost of the current piece of work. */
  #cost = 0;
  /** The current wait of a client that has sent more than its share. */
  #rest: object | undefined;
  #isPaused = false;

  constructor(
    parts: RelayParts,
    owner: SessionOwner,
    { transport, keys, address }: SessionOptions,
  ) {
    const { limits, counters, clock, turns } = parts;
    const nowMs = clock.monotonic();
    this.address = address;
    this.#parts = parts;
    this.#owner = owner;
    this.#transport = transport;
    this.#state = { type: "greeted", keys, untilMs: nowMs + loginTimeoutMs };
    this.#outbox = new Outbox({ transport, limits, counters, clock, maxNoticeBytes, turns });
    const { strangers, budgets, directory } = owner;
    const { maxBytesPerSecond } = limits;
    this.#pace = new Pace(strangers !== undefined, { address, maxBytesPerSecond, budgets });
    this.#unfinished = this.#openShare(allStrangers);
    this.#router = new PacketRouter(parts, directory, () => (this.#cost += receiverCostBytes));
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
    this.#input.add(chunk);
    this.#proceed();
  }

  /** Reads frames until it is the turn of others. */
  work(): boolean {
    if (this.isClosed) return false;
    this.#cost = 0;
    try {
      this.#input.read(this.#onFrame);
    } catch (error) {
      if (!(error instanceof DerpError)) throw error;
      this.#parts.logger.debug({ error: error.message }, "relay client violated the protocol");
      this.close("protocol-error");
    }
    if (this.isClosed) return false;
    this.#countUnfinished();
    if (this.isClosed || this.#isResting()) return false;
    if (!this.#input.isEmpty) return true;
    this.#resume();
    return false;
  }

  closed(): void {
    if (this.isClosed) return;
    const state = this.#state;
    this.#state = { type: "closed" };
    this.#input.clear();
    this.#outbox.close();
    this.#unfinished[Symbol.dispose]();
    this.#owner.strangers?.remove(this);
    const { counters } = this.#parts;
    if (state.type === "client") {
      counters.clients -= 1;
      this.#owner.directory.remove(state.peer, this);
    } else if (state.type === "mesh") {
      counters.links -= 1;
      this.#owner.directory.unwatch(this);
    }
    this.#owner.ended(this);
  }

  close(reason: CloseReason): void {
    if (this.isClosed) return;
    this.#parts.counters.closed[reason] += 1;
    this.closed();
    this.#transport.destroy();
  }

  /** Closes after sending what waits, such as the notice of a restart. */
  end(): void {
    if (this.isClosed) return;
    this.#parts.counters.closed.shutdown += 1;
    this.closed();
    this.#transport.end();
  }

  notify(frame: Uint8Array): void {
    const isLost = this.#outbox.addNotice(frame) === "dropped";
    if (isLost && this.#state.type === "mesh") this.close("unread-output");
  }

  /** Treats the client as a peer with a published key. */
  admit(): void {
    this.#setStanding(false);
    if (this.#rest === undefined) return;
    this.#rest = undefined;
    this.#proceed();
  }

  demote(): void {
    this.#setStanding(true);
  }

  evict(): void {
    this.close("too-many-connections");
  }

  deliver(flowKey: string, bytes: Uint8Array, start: number, end: number): boolean {
    return this.#outbox.addPacket(flowKey, bytes, start, end) === "first";
  }

  /** Performs what is due: keep-alives, and closing connections that keep the relay waiting. */
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
    this.#cost += end - start + frameCostBytes;
    this.#read(bytes, start, end);
    if (this.isClosed || this.#cost >= this.#pace.sliceCostBytes) this.#input.stop();
  };

  #read(bytes: Uint8Array, start: number, end: number): void {
    const state = this.#state;
    switch (state.type) {
      case "greeted":
        return this.#login(parseDerpFrame(bytes, start, end), state.keys);
      case "client":
        return this.#onClientFrame(state.peer, bytes, start, end);
      case "mesh":
        if (!state.link.open(bytes, start, end, this.#onMeshFrame)) this.close("protocol-error");
        return undefined;
      case "closed":
    }
  }

  #login(frame: DerpFrame | undefined, keys: KeyPair): void {
    const { crypto, clock, counters } = this.#parts;
    this.#cost += loginCostBytes;
    const login = readLogin(frame, keys, crypto);
    if (login === undefined) return this.close("login-refused");
    const { key } = login;
    const link = this.#owner.acceptLink(login);
    if (link === "own-relay") return this.close(link);
    // A relay of another mesh, of another version, or one looking for another relay.
    if (link === undefined && login.meshProof !== "") return this.close("login-refused");
    this.#input.limitPayload(maxClientFrameBytes);
    this.#keepAliveEveryMs += Math.random() * keepAliveSpreadMs;
    this.#keepAliveAtMs = clock.monotonic() + this.#keepAliveEveryMs;
    counters.logins += 1;
    const answer = encodeLoginAnswer(key, keys, crypto);
    if (link !== undefined) {
      counters.links += 1;
      this.#state = { type: "mesh", link };
      this.#owner.strangers?.remove(this);
      this.#beginLink(link, answer);
    } else {
      this.notify(answer);
      counters.clients += 1;
      this.#state = { type: "client", peer: this.#owner.directory.add(key, this) };
      this.#setStanding(this.#pace.isStranger);
      this.#owner.strangers?.login(this, encodeHex(key));
    }
  }

  /** Answers another relay's login; the first sealed frame proves that this one has the key too. */
  #beginLink(link: SealedLink, answer: Uint8Array): void {
    this.#transport.send([answer], () => undefined);
    this.#outbox.useTransport({
      send: (pieces, sent) => this.#transport.send(link.seal(pieces), sent),
    });
    this.#outbox.allowNotices(maxMeshNoticeBytes);
    this.notify(keepAliveFrame);
  }

  #setStanding(isStranger: boolean): void {
    const { maxQueuedBytesPerClient } = this.#parts.limits;
    this.#pace.isStranger = isStranger;
    this.#outbox.allowPackets(isStranger ? maxQueuedBytesPerStranger : maxQueuedBytesPerClient);
    if (this.#state.type !== "client") return;
    this.#unfinished[Symbol.dispose]();
    this.#unfinished = this.#openShare(isStranger ? allStrangers : this.#state.peer.keyText);
    this.#countUnfinished();
    if (this.isClosed) return;
    this.#state.peer.maxDestinations = isStranger
      ? maxRememberedDestinationsOfStranger
      : maxRememberedDestinations;
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
    // The preferred home has no effect here; frames unknown to a server are skipped.
    if (frame.type === "ping") this.notify(encodeDerpFrame({ type: "pong", data: frame.data }));
  }

  readonly #onMeshFrame = (bytes: Uint8Array, start: number, end: number): void => {
    if (this.isClosed) return;
    if (bytes[start] === DerpFrameType.forwardPacket) {
      this.#router.acceptForwarded(bytes, start, end);
      return;
    }
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
  };

  #openShare(owner: string): UnfinishedShare {
    return this.#parts.unfinished.open(owner, () => this.close("unfinished-frame"));
  }

  #countUnfinished(): void {
    const nowMs = this.#parts.clock.monotonic();
    // The frame that is incomplete now is a different one.
    if (this.#cost > 0) this.#unfinished.set(0, nowMs);
    this.#unfinished.set(this.#input.unfinishedBytes, nowMs);
  }

  /** Reads the received bytes, now or in turn. */
  #proceed(): void {
    if (this.#rest !== undefined || !this.#parts.turns.start(this)) this.#pause();
  }

  /**
   * Returns whether the client must wait because it has sent more than its share. A link carries the packets of many.
   */
  #isResting(): boolean {
    if (this.#state.type === "mesh") return false;
    const restMs = this.#pace.take(this.#cost, this.#parts.clock.monotonic());
    if (restMs === 0) return false;
    const rest = {};
    this.#rest = rest;
    this.#pause();
    this.#owner.after(restMs, () => {
      if (this.#rest !== rest) return;
      this.#rest = undefined;
      if (!this.isClosed) this.#proceed();
    });
    return true;
  }

  /** Stops reading while anything waits, so that the client must wait too. */
  #pause(): void {
    if (this.#isPaused || this.isClosed) return;
    this.#isPaused = true;
    this.#transport.pause();
  }

  #resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#transport.resume();
  }
}
