import { encodeDerpFrame, PeerGoneReason } from "@slipway/wire/derp/frame";

import type { RelayCounters } from "./counters.ts";
import { keyText } from "./keys.ts";
import { maxConnectionsPerKey, maxRememberedPairs } from "./limits.ts";
import { Peer, type PeerConnection } from "./peer.ts";
import type { Turns, Work } from "./turns.ts";

/** A link to another relay, as the directory uses it. */
export interface PeerLink {
  /** Sends a whole `forwardPacket` in the turns of a flow. Returns whether that is the first of this turn. */
  forward(flowKey: string, frame: Uint8Array): boolean;
}

interface DirectoryNeeds {
  readonly counters: RelayCounters;
  readonly turns: Pick<Turns, "start">;
}

/** The location of each key: at connections of this relay, or behind links to others. */
export class Directory<C extends PeerConnection> {
  readonly #needs: DirectoryNeeds;
  readonly #peers = new Map<string, Peer<C>>();
  /** Other relays that receive every change of the keys. */
  readonly #watchers = new Set<C>();
  /** The links whose relays announced a key, by key; the latest is last. */
  readonly #links = new Map<string, PeerLink[]>();

  constructor(needs: DirectoryNeeds) {
    this.#needs = needs;
  }

  find(key: string): Peer<C> | undefined {
    return this.#peers.get(key);
  }

  /** Adds a connection of a key; one too many closes the one that was silent longest. */
  add(key: Uint8Array, connection: C): Peer<C> {
    const text = keyText(key, 0);
    const known = this.#peers.get(text);
    const peer = known ?? new Peer<C>(key, text);
    peer.connections.push(connection);
    if (peer.connections.length > maxConnectionsPerKey) peer.connections[0]?.evict();
    if (known === undefined) {
      this.#peers.set(text, peer);
      this.#tellWatchers(encodeDerpFrame({ type: "peer-present", key }));
    }
    return peer;
  }

  /**
   * Records that a peer has sent packets to another. While there are too many such pairs, the other is not notified.
   */
  remember(source: Peer<C>, destination: Peer<C>): void {
    const { counters } = this.#needs;
    if (counters.rememberedPairs >= maxRememberedPairs) return;
    counters.rememberedPairs += source.rememberDestination(destination);
  }

  /** Removes a connection; with the last one of its key, everyone to whom the key has sent packets is notified. */
  remove(peer: Peer<C>, connection: C): void {
    const at = peer.connections.indexOf(connection);
    if (at === -1) return;
    peer.connections.splice(at, 1);
    if (!peer.isGone) return;
    this.#peers.delete(peer.keyText);
    const { counters, turns } = this.#needs;
    counters.rememberedPairs -= peer.destinationCount;
    turns.start(new Departure(peer, () => this.#peers.has(peer.keyText)));
    this.#tellWatchers(encodeGone(peer.key));
  }

  /** Sends another relay every key, and every change from now on. */
  watch(watcher: C): void {
    this.#watchers.add(watcher);
    for (const { key } of this.#peers.values()) {
      watcher.notify(encodeDerpFrame({ type: "peer-present", key }));
    }
  }

  unwatch(watcher: C): void {
    this.#watchers.delete(watcher);
  }

  findLink(key: string): PeerLink | undefined {
    return this.#links.get(key)?.at(-1);
  }

  announce(key: string, link: PeerLink): void {
    this.#links.set(key, [...(this.#links.get(key) ?? []), link]);
  }

  withdraw(key: string, link: PeerLink): void {
    const others = (this.#links.get(key) ?? []).filter((one) => one !== link);
    if (others.length === 0) this.#links.delete(key);
    else this.#links.set(key, others);
  }

  #tellWatchers(frame: Uint8Array): void {
    // A watcher that cannot keep up closes, and so leaves the set.
    for (const watcher of this.#watchers) watcher.notify(frame);
  }
}

/** The number of notices between two checks of the clock. */
const noticesPerPiece = 256;

/** Encodes the notice that a peer has disconnected. */
function encodeGone(key: Uint8Array): Uint8Array {
  return encodeDerpFrame({ type: "peer-gone", key, reason: PeerGoneReason.disconnected });
}

/** Notifies everyone to whom a peer has sent packets that it is gone; stops once the peer is back. */
class Departure<C extends PeerConnection> implements Work {
  readonly #frame: Uint8Array;
  readonly #destinations: Iterator<Peer<C>>;
  readonly #isBack: () => boolean;

  constructor(peer: Peer<C>, isBack: () => boolean) {
    this.#frame = encodeGone(peer.key);
    this.#destinations = peer.destinations()[Symbol.iterator]();
    this.#isBack = isBack;
  }

  work(): boolean {
    if (this.#isBack()) return false;
    for (let count = 0; count < noticesPerPiece; count += 1) {
      const { done, value } = this.#destinations.next();
      if (done === true) return false;
      value.connections.at(-1)?.notify(this.#frame);
    }
    return true;
  }
}
