import { abortable, Backoff, type BackoffPolicy, type Clock } from "@slipway/runtime";
import { encodeHex } from "@slipway/wire/bytes/hex";
import { IpProtocol, parseIpv6 } from "@slipway/wire/ip/ipv6";
import { answerTsmpPing, encodeTsmpPing, parseTsmp } from "@slipway/wire/ip/tsmp";

export interface TsmpOptions {
  readonly clock: Clock;
  /** Returns a number from 0 to below 1. */
  readonly random: () => number;
  readonly randomBytes: (count: number) => Uint8Array;
  /** Sends packets to the peers. */
  readonly send: (packets: readonly Uint8Array[]) => void;
}

/** The delays between the pings of one wait (docs/protocol/tailnet.md §7.2). */
const pingPolicy: BackoffPolicy = { firstMs: 50, maxMs: 30_000, factor: 1.5, jitter: 0.5 };
const dataBytes = 8;
/** The offset of the next header in an IPv6 header. */
const nextHeaderOffset = 6;

/** Pings below TCP/IP: answers those of peers, and waits until a peer answers ours. */
export class TsmpLayer {
  readonly #options: TsmpOptions;
  /** The waits, by the data of their pings. A wait repeats the same data, as any answer will do. */
  readonly #waits = new Map<string, () => void>();

  constructor(options: TsmpOptions) {
    this.#options = options;
  }

  /** Handles a packet of this protocol; returns false for others. Answers go out immediately. */
  receive(bytes: Uint8Array): boolean {
    if (bytes[nextHeaderOffset] !== IpProtocol.tsmp) return false;
    const packet = parseIpv6(bytes);
    if (packet === undefined) return true;
    const message = parseTsmp(bytes, packet.payloadStart, packet.payloadEnd);
    if (message?.type === "pong") this.#waits.get(encodeHex(message.data))?.();
    const answer = message?.type === "ping" ? answerTsmpPing(bytes) : undefined;
    if (answer !== undefined) this.#options.send([answer]);
    return true;
  }

  /** Pings a peer until it answers. Rejects with the signal's reason. */
  async reach(source: Uint8Array, destination: Uint8Array, signal: AbortSignal): Promise<void> {
    const { clock, random, randomBytes, send } = this.#options;
    const data = randomBytes(dataBytes);
    const key = encodeHex(data);
    const answered = Promise.withResolvers<void>();
    const ended = new AbortController();
    this.#waits.set(key, answered.resolve);
    const backoff = new Backoff(pingPolicy, random);
    const pinging = (async () => {
      const either = AbortSignal.any([signal, ended.signal]);
      while (!either.aborted) {
        send([encodeTsmpPing({ source, destination }, data)]);
        // Only the signals end the sleep early, and the loop with it.
        await clock.sleep(backoff.next(), either).catch(() => undefined);
      }
    })();
    try {
      await abortable(answered.promise, signal);
    } finally {
      ended.abort();
      this.#waits.delete(key);
      await pinging;
    }
  }
}
