import { parseIcmpv6, UnreachableCode, writeIcmpv6 } from "@slipway/wire/ip/icmpv6";
import type { Icmpv6Message } from "@slipway/wire/ip/icmpv6";
import { IpProtocol, ipv6HeaderBytes, pseudoHeaderSum } from "@slipway/wire/ip/ipv6";
import type { Ipv6Packet } from "@slipway/wire/ip/ipv6";

import type { PacketBatch } from "./packet-batch.ts";

/** The maximum number of errors sent per second (RFC 4443 §2.4 f). */
const maxErrorsPerSecond = 100;

/** An ICMPv6 header. */
const headerBytes = 8;

/** The offset of the next header field in a packet. */
const nextHeaderOffset = 6;

/** The parts of the stack that the layer needs. */
export interface IcmpLayerNeeds {
  readonly now: () => number;
  readonly batch: PacketBatch;
  readonly mtu: number;
  /** Receives the beginning of one of our packets that did not arrive. */
  readonly unreachable: (cause: Uint8Array) => void;
}

/** Answers echo requests, and tells peers which of their packets cannot be delivered (RFC 4443). */
export class IcmpLayer {
  readonly #needs: IcmpLayerNeeds;
  #secondStart = 0;
  #errors = 0;

  constructor(needs: IcmpLayerNeeds) {
    this.#needs = needs;
  }

  /** Handles a packet. */
  receive(bytes: Uint8Array, packet: Ipv6Packet): void {
    const message = parseIcmpv6(bytes, packet.payloadStart, packet.payloadEnd);
    if (message === undefined) return;
    switch (message.type) {
      case "echo-request":
        this.#answer({ ...message, type: "echo-reply" }, packet);
        return;
      case "unreachable":
      case "unknown-next-header":
        this.#needs.unreachable(message.cause);
        return;
      // This host neither pings nor routes, and the paths know best what they carry.
      case "echo-reply":
      case "packet-too-big":
      case "time-exceeded":
    }
  }

  /** Tells the sender that a packet is refused: the port is closed, or the protocol is not supported. */
  refuse(bytes: Uint8Array, packet: Ipv6Packet): void {
    if (!this.#mayTell()) return;
    const room = this.#needs.mtu - ipv6HeaderBytes - headerBytes;
    const cause = bytes.subarray(0, Math.min(packet.payloadEnd, room));
    this.#answer(
      packet.nextHeader === IpProtocol.udp
        ? { type: "unreachable", code: UnreachableCode.port, cause }
        : { type: "unknown-next-header", pointer: nextHeaderOffset, cause },
      packet,
    );
  }

  #mayTell(): boolean {
    const now = this.#needs.now();
    if (now - this.#secondStart >= 1000) {
      this.#secondStart = now;
      this.#errors = 0;
    }
    this.#errors += 1;
    return this.#errors <= maxErrorsPerSecond;
  }

  #answer(message: Icmpv6Message, { source, destination }: Ipv6Packet): void {
    const { batch } = this.#needs;
    const addressSum = pseudoHeaderSum(source, destination, IpProtocol.icmpv6);
    const length = writeIcmpv6(batch.buffer, batch.payloadStart, message, addressSum);
    batch.push({ source: destination, destination: source, nextHeader: IpProtocol.icmpv6 }, length);
  }
}
