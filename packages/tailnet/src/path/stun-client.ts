import { encodeHex } from "@slipway/wire/bytes/hex";
import {
  encodeBindingRequest,
  isStun,
  parseStunMessage,
  StunError,
} from "@slipway/wire/stun/message";
import type { StunMessage } from "@slipway/wire/stun/message";

import {
  formatUdpAddress,
  fromAddressBytes,
  isIpv6,
  isUsable,
  type UdpAddress,
} from "./udp-address.ts";

const transactionIdBytes = 12;
/** The software name of stock peers, so that requests have the same length (docs/protocol/tailnet.md §6.3). */
const software = "tailnode";

/** The servers asked in one round: enough to see whether a NAT treats them alike. */
const maxServers = 6;
/** The times of the requests to one server, from the beginning of the round. */
const requestTimesMs = [0, 250, 750] as const;
/** The time after which no answer is expected. */
const roundTimeoutMs = 1500;
/** A mapped address counts for this long after it was last seen (docs/protocol/tailnet.md §6.4). */
const mappedMs = 310_000;
/** The number of mapped addresses to hold; the one not seen for longest makes room. */
const maxMapped = 8;

export interface StunRequest {
  readonly to: UdpAddress;
  readonly datagram: Uint8Array;
}

/** The state of UDP according to the last round. */
export interface UdpReport {
  readonly hasIpv4: boolean;
  readonly hasIpv6: boolean;
  /** True if the NAT uses a different address for each destination; undefined with fewer than two answers over IPv4. */
  readonly doesMappingVary: boolean | undefined;
}

interface Query {
  readonly server: UdpAddress;
  readonly transactionId: Uint8Array;
  sent: number;
  mapped: UdpAddress | undefined;
}

interface Round {
  readonly startedAt: number;
  /** The queries by the digits of their transactions. */
  readonly queries: ReadonlyMap<string, Query>;
}

/** Learns from STUN servers the addresses that NATs give to our socket. Pure, like the selector of paths. */
export class StunClient {
  readonly #randomBytes: (count: number) => Uint8Array;
  #round: Round | undefined;
  /** The time at which each mapped address was last seen, by its text. */
  readonly #mapped = new Map<string, { readonly address: UdpAddress; readonly seenAt: number }>();
  #report: UdpReport = { hasIpv4: false, hasIpv6: false, doesMappingVary: undefined };

  constructor(randomBytes: (count: number) => Uint8Array) {
    this.#randomBytes = randomBytes;
  }

  get isRunning(): boolean {
    return this.#round !== undefined;
  }

  /** The result of the last round that has ended. */
  get report(): UdpReport {
    return this.#report;
  }

  /** The time of the next `tick`; undefined between rounds. */
  get nextWake(): number | undefined {
    const round = this.#round;
    if (round === undefined) return undefined;
    const ends = round.startedAt + roundTimeoutMs;
    const offsets = [...round.queries.values()]
      .filter(({ mapped }) => mapped === undefined)
      .map(({ sent }) => requestTimesMs[sent] ?? roundTimeoutMs);
    return Math.min(ends, ...offsets.map((offset) => round.startedAt + offset));
  }

  /** Begins a round, replacing a running one; `tick` returns its requests. */
  start(servers: readonly UdpAddress[], now: number): void {
    const queries = new Map<string, Query>();
    for (const server of servers.slice(0, maxServers)) {
      const transactionId = this.#randomBytes(transactionIdBytes);
      queries.set(encodeHex(transactionId), { server, transactionId, sent: 0, mapped: undefined });
    }
    this.#round = { startedAt: now, queries };
  }

  /** Returns the requests that are due, and ends the round if all are answered or too late. */
  tick(now: number): readonly StunRequest[] {
    const round = this.#round;
    if (round === undefined) return [];
    const open = [...round.queries.values()].filter(({ mapped }) => mapped === undefined);
    if (open.length === 0 || now >= round.startedAt + roundTimeoutMs) {
      this.#finish(round);
      return [];
    }
    const due = open.filter(
      ({ sent }) => now >= round.startedAt + (requestTimesMs[sent] ?? Infinity),
    );
    return due.map((query) => {
      query.sent += 1;
      return {
        to: query.server,
        datagram: encodeBindingRequest(query.transactionId, software),
      };
    });
  }

  /**
   * Handles a datagram; returns false if it belongs to another protocol. Only an answer of a server that was asked
   * counts.
   */
  receive(datagram: Uint8Array, source: UdpAddress, now: number): boolean {
    if (!isStun(datagram)) return false;
    const message = parse(datagram);
    const query = message && this.#round?.queries.get(encodeHex(message.transactionId));
    if (query === undefined || message?.type !== "binding-response") return true;
    if (formatUdpAddress(query.server) !== formatUdpAddress(source)) return true;
    const { address, port } = message.mapped ?? { address: new Uint8Array(4), port: 0 };
    const mapped = fromAddressBytes(address, port);
    if (mapped === undefined || !isUsable(mapped.address)) return true;
    query.mapped = mapped;
    this.#remember(mapped, now);
    return true;
  }

  /** Returns the recently seen addresses, latest first. */
  mapped(now: number): readonly UdpAddress[] {
    return [...this.#mapped.values()]
      .filter(({ seenAt }) => now - seenAt < mappedMs)
      .map(({ address }) => address)
      .toReversed();
  }

  /** Forgets the seen addresses, since the network has changed. */
  forget(): void {
    this.#round = undefined;
    this.#mapped.clear();
  }

  #remember(mapped: UdpAddress, now: number): void {
    const key = formatUdpAddress(mapped);
    this.#mapped.delete(key);
    this.#mapped.set(key, { address: mapped, seenAt: now });
    if (this.#mapped.size <= maxMapped) return;
    for (const oldest of this.#mapped.keys()) {
      this.#mapped.delete(oldest);
      return;
    }
  }

  #finish({ queries }: Round): void {
    this.#round = undefined;
    const answers = [...queries.values()].map(({ mapped }) => mapped);
    const seen = answers.filter((mapped) => mapped !== undefined);
    const ipv4 = seen.filter(({ address }) => !isIpv6(address)).map(formatUdpAddress);
    this.#report = {
      hasIpv4: ipv4.length > 0,
      hasIpv6: seen.length > ipv4.length,
      doesMappingVary: ipv4.length < 2 ? undefined : new Set(ipv4).size > 1,
    };
  }
}

function parse(datagram: Uint8Array): StunMessage | undefined {
  try {
    return parseStunMessage(datagram);
  } catch (error) {
    if (error instanceof StunError) return undefined;
    throw error;
  }
}
