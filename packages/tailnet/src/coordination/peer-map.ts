import { keyText } from "../identity/key.ts";
import { coordinationLimits as limits, coordinationTimes as times } from "./limits.ts";
import type { PeerOutcome } from "./peer-action.ts";
import type { PeerNode } from "./peer-node.ts";
import { isSameBytes, isSameNode } from "./peer-node.ts";
import {
  absent,
  type InstalledPeer,
  lostState,
  type PeerEntry,
  type PeerState,
  wakeOf,
} from "./peer-state.ts";
import type { PeerUpdate } from "./peer-update.ts";

export type PeerEvent =
  | PeerUpdate
  /** This side requests a tunnel to a peer, or no longer wants it. */
  | { readonly type: "destination-added"; readonly id: string }
  | { readonly type: "destination-removed"; readonly id: string }
  /** The stream to the coordinator broke, so changes are no longer reported. */
  | { readonly type: "stream-lost" }
  /** A probed peer answered, or did not answer in time. */
  | { readonly type: "answered" | "silent"; readonly id: string; readonly node: PeerNode }
  /** The tunnel completed a handshake with the peer that has this key. */
  | { readonly type: "handshake"; readonly nodeKey: Uint8Array };

export interface PeerMapOptions {
  /** The key of this side, which no peer may have. */
  readonly ownNodeKey: Uint8Array;
  /** True for an agent: others open tunnels to it and wait until it knows them. */
  readonly saysReady: boolean;
  /** The maximum number of peers (default: 4096). */
  readonly maxPeers?: number;
}

/**
 * The peers reported by the coordinator, and the consequences for the tunnel (docs/protocol/tailnet.md §2.6). Times
 * are milliseconds of any clock. It deviates from stock peers in two ways: a destination that disconnects stays one,
 * so that its next node is not sent a handshake before it is ready, and a peer with the key of an earlier one
 * replaces it.
 */
export class PeerMap {
  readonly #options: PeerMapOptions;
  readonly #entries = new Map<string, PeerEntry>();
  /** The installed peers by node key. */
  readonly #owners = new Map<string, PeerEntry>();

  constructor(options: PeerMapOptions) {
    this.#options = options;
  }

  /** The time at which to call `tick`; undefined if nothing waits. */
  get nextWake(): number | undefined {
    let next: number | undefined;
    for (const { state } of this.#entries.values()) {
      const wake = wakeOf(state);
      if (wake !== undefined && (next === undefined || wake < next)) next = wake;
    }
    return next;
  }

  /** The peers that this side requested. */
  get destinations(): readonly string[] {
    return [...this.#entries.values()].filter((entry) => entry.isDestination).map(({ id }) => id);
  }

  /** Returns a peer's state; `absent` for an unknown one. */
  stateOf(id: string): PeerState {
    return this.#entries.get(id)?.state ?? absent;
  }

  /** Handles an event that happened at `now`. */
  receive(event: PeerEvent, now: number): readonly PeerOutcome[] {
    switch (event.type) {
      case "node":
        return this.#takeNode(event.id, event.node, now);
      case "disconnected":
        return this.#withEntry(event.id, (entry) => this.#remove(entry, true));
      case "lost":
        return this.#withEntry(event.id, (entry) =>
          this.#lose(entry, event.isGone ? now + times.goneMs : undefined),
        );
      case "ready":
        return this.#withEntry(event.id, (entry) => this.#becomeReady(entry));
      case "destination-added":
        return this.#addDestination(event.id);
      case "destination-removed":
        return this.#withEntry(event.id, (entry) => {
          entry.isDestination = false;
          return this.#remove(entry);
        });
      case "stream-lost":
        return [...this.#entries.values()].flatMap((entry) => this.#lose(entry, undefined));
      case "answered":
      case "silent":
        return this.#withEntry(event.id, (entry) =>
          isAsked(entry.state, event.node)
            ? this.#takeAnswer(entry, entry.state, event.type, now)
            : [],
        );
      case "handshake":
        this.#noteHandshake(event.nodeKey, now);
        return [];
    }
  }

  /** Performs what is due at `now`. */
  tick(now: number): readonly PeerOutcome[] {
    return [...this.#entries.values()].flatMap((entry) => {
      const wake = wakeOf(entry.state);
      if (wake === undefined || wake > now) return [];
      if (entry.state.type === "waiting") return this.#install(entry, entry.state.node);
      if (entry.state.type !== "lost" || entry.state.removeAt <= now) return this.#remove(entry);
      entry.state = { ...entry.state, probe: "asked" };
      return [{ type: "probe", id: entry.id, node: entry.state.node }];
    });
  }

  #takeNode(id: string, node: PeerNode, now: number): readonly PeerOutcome[] {
    if (isSameBytes(node.nodeKey, this.#options.ownNodeKey)) {
      return [{ type: "drop", id, reason: "peer has this side's key" }];
    }
    const entry = this.#entryOf(id);
    if (entry === undefined) return [{ type: "drop", id, reason: "too many peers" }];
    const replaced = this.#removeOtherKey(entry, node);
    this.#entries.set(id, entry);
    const outcomes = this.#apply(entry, node, now);
    const ready: readonly PeerOutcome[] = this.#options.saysReady
      ? [{ type: "say-ready", id }]
      : [];
    return [...replaced, ...outcomes, ...ready];
  }

  /** A node with another key is another process: the state of the earlier one is gone. */
  #removeOtherKey(entry: PeerEntry, node: PeerNode): readonly PeerOutcome[] {
    const { state } = entry;
    if (state.type !== "installed" && state.type !== "lost") return [];
    return isSameBytes(state.node.nodeKey, node.nodeKey) ? [] : this.#uninstall(entry, state);
  }

  #apply(entry: PeerEntry, node: PeerNode, now: number): readonly PeerOutcome[] {
    const { state, isDestination, isReady } = entry;
    switch (state.type) {
      case "absent":
      case "waiting":
        if (!isDestination || isReady) return this.#install(entry, node);
        entry.state = {
          type: "waiting",
          node,
          until: state.type === "waiting" ? state.until : now + times.readyMs,
        };
        return [];
      case "installed":
      case "lost":
        return this.#reinstall(entry, node, state);
    }
  }

  #install(entry: PeerEntry, node: PeerNode): readonly PeerOutcome[] {
    const key = keyText(node.nodeKey);
    const earlier = this.#owners.get(key);
    this.#owners.set(key, entry);
    if (earlier !== undefined && earlier !== entry && "handshakeAt" in earlier.state) {
      const known = earlier.state;
      this.#become(earlier, absent);
      return this.#reinstall(entry, node, known, true);
    }
    const keepaliveMs = keepaliveOf(entry);
    entry.state = { type: "installed", node, keepaliveMs, handshakeAt: undefined };
    return [{ type: "install", id: entry.id, node, keepaliveMs }];
  }

  /** Configures a peer whose key is installed already, perhaps for another id. */
  #reinstall(
    entry: PeerEntry,
    node: PeerNode,
    known: InstalledPeer,
    isOtherId = false,
  ): readonly PeerOutcome[] {
    const isSameProcess = isSameBytes(known.node.discoKey, node.discoKey);
    const keepaliveMs = keepaliveOf(entry) ?? (isSameProcess ? known.keepaliveMs : undefined);
    const handshakeAt = isSameProcess ? known.handshakeAt : undefined;
    entry.state = { type: "installed", node, keepaliveMs, handshakeAt };
    const isSame = isSameNode(known.node, node) && known.keepaliveMs === keepaliveMs;
    if (isSame && !isOtherId) return [];
    return [{ type: isSameProcess ? "install" : "reset", id: entry.id, node, keepaliveMs }];
  }

  #becomeReady(entry: PeerEntry): readonly PeerOutcome[] {
    entry.isReady = true;
    const { state } = entry;
    switch (state.type) {
      case "absent":
        return [];
      case "waiting":
        return this.#install(entry, state.node);
      case "installed":
        return this.#reinstall(entry, state.node, state);
      case "lost":
        // A node update follows if the peer is back.
        return [];
    }
  }

  /** `probeAt` is undefined for a peer that may be silent for long, such as one whose network fails. */
  #lose(entry: PeerEntry, probeAt: number | undefined): readonly PeerOutcome[] {
    entry.isReady = false;
    const { state } = entry;
    switch (state.type) {
      case "absent":
        return [];
      case "lost":
        entry.state = { ...state, probe: probeAt };
        return [];
      case "waiting":
        this.#become(entry, absent);
        return [];
      case "installed":
        if (state.handshakeAt === undefined) return this.#remove(entry);
        entry.state = lostState(state, state.handshakeAt, probeAt);
        return [];
    }
  }

  #takeAnswer(
    entry: PeerEntry,
    state: PeerState & { readonly type: "lost" },
    answer: "answered" | "silent",
    now: number,
  ): readonly PeerOutcome[] {
    if (answer === "silent") return this.#uninstall(entry, state, true);
    entry.state = { ...state, probe: now + times.goneMs };
    return [];
  }

  #remove(entry: PeerEntry, isGone = false): readonly PeerOutcome[] {
    entry.isReady = false;
    const { state } = entry;
    if (state.type === "installed" || state.type === "lost") {
      return this.#uninstall(entry, state, isGone);
    }
    this.#become(entry, absent);
    return [];
  }

  #uninstall(entry: PeerEntry, { node }: InstalledPeer, isGone = false): readonly PeerOutcome[] {
    this.#owners.delete(keyText(node.nodeKey));
    this.#become(entry, absent);
    return [{ type: "remove", id: entry.id, node, isGone }];
  }

  #noteHandshake(nodeKey: Uint8Array, now: number): void {
    const entry = this.#owners.get(keyText(nodeKey));
    if (entry === undefined || !("handshakeAt" in entry.state)) return;
    const { state } = entry;
    entry.state =
      state.type === "lost" ? lostState(state, now, state.probe) : { ...state, handshakeAt: now };
  }

  #addDestination(id: string): readonly PeerOutcome[] {
    const entry = this.#entryOf(id);
    if (entry === undefined) return [{ type: "drop", id, reason: "too many peers" }];
    entry.isDestination = true;
    return [];
  }

  #withEntry(
    id: string,
    change: (entry: PeerEntry) => readonly PeerOutcome[],
  ): readonly PeerOutcome[] {
    const entry = this.#entries.get(id);
    return entry === undefined ? [] : change(entry);
  }

  /** Returns the entry of a peer, creating it if necessary; undefined if there are too many. */
  #entryOf(id: string): PeerEntry | undefined {
    const known = this.#entries.get(id);
    if (known !== undefined) return known;
    if (this.#entries.size >= (this.#options.maxPeers ?? limits.maxPeers)) return undefined;
    const entry: PeerEntry = { id, isDestination: false, isReady: false, state: absent };
    this.#entries.set(id, entry);
    return entry;
  }

  /** Puts an entry into a state; an entry without a state is forgotten unless its node is a destination. */
  #become(entry: PeerEntry, state: PeerState): void {
    entry.state = state;
    if (state.type === "absent" && !entry.isDestination) this.#entries.delete(entry.id);
  }
}

/**
 * Returns true for a peer whose answer is pending: it has not come back meanwhile, and the coordinator is connected.
 */
function isAsked(state: PeerState, node: PeerNode): state is PeerState & { readonly type: "lost" } {
  return state.type === "lost" && state.probe === "asked" && state.node === node;
}

/**
 * Setting a keep-alive sends one, which starts the handshake: of two peers, the one that requested the tunnel starts
 * it.
 */
function keepaliveOf({ isDestination, isReady }: PeerEntry): number | undefined {
  return isDestination && isReady ? times.keepaliveMs : undefined;
}
