import { type Clock, TokenBucket } from "@slipway/runtime";
import { encodeDerpFrame, parseDerpFrame, PeerGoneReason } from "@slipway/wire/derp/frame";
import { derpHeaderBytes, derpKeyBytes } from "@slipway/wire/derp/header";
import {
  forwardSentPacket,
  isDiscoPacket,
  receiveForwardedPacket,
  receiveSentPacket,
} from "@slipway/wire/derp/relayed-packet";

import type { RelayCounters } from "./counters.ts";
import type { Directory } from "./directory.ts";
import { isKey, keyText } from "./keys.ts";
import type { Peer, PeerConnection } from "./peer.ts";

/** A connection to which packets can be delivered. */
export interface PacketReceiver extends PeerConnection {
  /**
   * Queues a frame of a packet, from `start` to `end`, in the turns of a flow. Returns whether it is the first of
   * this turn.
   */
  deliver(flowKey: string, bytes: Uint8Array, start: number, end: number): boolean;
}

interface RouterNeeds {
  readonly counters: RelayCounters;
  readonly clock: Pick<Clock, "monotonic">;
}

/** Called for each receiver that gets its first packet of this turn. */
type OnWoken = () => void;

const packetOffset = derpHeaderBytes + derpKeyBytes;

/** Routes the packets of one connection (docs/protocol/tailnet.md §4.7). Changes frames in place. */
export class PacketRouter<C extends PacketReceiver> {
  readonly #needs: RouterNeeds;
  readonly #directory: Directory<C>;
  /** The destination of the last packet; most packets go to the same destination as the previous one. */
  #lastDestination: Peer<C> | undefined;
  /** Notices about unknown destinations. */
  readonly #unknownNotices: TokenBucket;
  readonly #onWoken: OnWoken;

  constructor(needs: RouterNeeds, directory: Directory<C>, onWoken: OnWoken) {
    this.#needs = needs;
    this.#directory = directory;
    this.#onWoken = onWoken;
    this.#unknownNotices = new TokenBucket({ burst: 3, perSecond: 1 });
  }

  /**
   * Forwards a `sendPacket` of `source`; returns the notice for `source` if no client has the key of the destination.
   */
  relay(source: Peer<C>, bytes: Uint8Array, start: number, end: number): Uint8Array | undefined {
    // Throws for a frame that is too short.
    if (end - start < packetOffset) parseDerpFrame(bytes, start, end);
    const { counters } = this.#needs;
    counters.packets += 1;
    counters.packetBytes += end - start;
    const destination = this.#findDestination(source, bytes, start + derpHeaderBytes);
    const isDisco = isDiscoPacket(bytes, start + packetOffset, end);
    const flowKey = isDisco ? source.discoFlowKey : source.flowKey;
    const receiver = destination?.connections.at(-1);
    if (receiver !== undefined) {
      receiveSentPacket(bytes, start, source.key);
      if (receiver.deliver(flowKey, bytes, start, end)) this.#onWoken();
      return undefined;
    }
    const link = this.#directory.findLink(keyText(bytes, start + derpHeaderBytes));
    const key = bytes.subarray(start + derpHeaderBytes, start + packetOffset);
    if (link !== undefined) {
      counters.forwardedPackets += 1;
      const keys = { source: source.key, destination: key };
      if (link.forward(flowKey, forwardSentPacket(bytes, { start, end }, keys))) this.#onWoken();
      return undefined;
    }
    counters.droppedPackets.unknownDestination += 1;
    if (!isDisco || !this.#unknownNotices.tryTake(1, this.#needs.clock.monotonic()))
      return undefined;
    return encodeDerpFrame({ type: "peer-gone", key, reason: PeerGoneReason.notHere });
  }

  /** Delivers a `forwardPacket` of another relay to a client of this one. */
  acceptForwarded(bytes: Uint8Array, start: number, end: number): void {
    if (end - start < packetOffset + derpKeyBytes) parseDerpFrame(bytes, start, end);
    const source = keyText(bytes, start + derpHeaderBytes);
    const peer = this.#directory.find(keyText(bytes, start + packetOffset));
    const receiver = peer?.connections.at(-1);
    if (receiver === undefined) {
      this.#needs.counters.droppedPackets.unknownDestination += 1;
      return;
    }
    const isDisco = isDiscoPacket(bytes, start + packetOffset + derpKeyBytes, end);
    const begin = receiveForwardedPacket(bytes, start);
    if (receiver.deliver(isDisco ? `${source}disco` : source, bytes, begin, end)) this.#onWoken();
  }

  #findDestination(source: Peer<C>, bytes: Uint8Array, at: number): Peer<C> | undefined {
    const last = this.#lastDestination;
    if (last !== undefined && !last.isGone && isKey(bytes, at, last.key)) return last;
    const found = this.#directory.find(keyText(bytes, at));
    this.#lastDestination = found;
    if (found !== undefined) this.#directory.remember(source, found);
    return found;
  }
}
