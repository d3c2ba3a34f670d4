import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { once } from "node:events";
import { isIPv6, isIP } from "node:net";

import { type Clock, TokenBucket, TokenBuckets } from "@slipway/runtime";
import { encodeHex } from "@slipway/wire/bytes/hex";
import {
  encodeBindingResponse,
  isStun,
  parseStunMessage,
  StunError,
} from "@slipway/wire/stun/message";
import ipaddr from "ipaddr.js";

/** The responses to one address, whose owner may not have asked: per second, and as a burst. */
const perAddress = { perSecond: 20, burst: 60 } as const;
/** The responses to all addresses. */
const inAll = { perSecond: 5_000, burst: 10_000 } as const;
/** The number of addresses counted individually. */
const maxAddresses = 10_000;
/** The longest request; those of stock peers have about 40 bytes. */
const maxRequestBytes = 548;

/** A listener for STUN; its opener closes it. */
export interface StunListener extends AsyncDisposable {
  readonly port: number;
}

interface StunNeeds {
  readonly host: string;
  /** 0 lets the system pick one. */
  readonly port: number;
  readonly clock: Clock;
}

/** Listens for binding requests over UDP and tells each client its address. Rejects with the error of the system. */
export async function openStunListener({ host, port, clock }: StunNeeds): Promise<StunListener> {
  const socket = createSocket(isIPv6(host) ? "udp6" : "udp4");
  const limits = new ResponseLimits(clock);
  socket.on("message", (datagram, remote) => answer(socket, limits, datagram, remote));
  try {
    const listening = once(socket, "listening");
    socket.bind({ address: host, port });
    await listening;
  } catch (error) {
    socket.close();
    throw error;
  }
  // A datagram that could not be sent is lost like any other.
  socket.on("error", () => undefined);
  return {
    port: socket.address().port,
    [Symbol.asyncDispose]: () => new Promise((resolve) => socket.close(() => resolve())),
  };
}

function answer(
  socket: Socket,
  limits: ResponseLimits,
  datagram: Uint8Array,
  remote: RemoteInfo,
): void {
  const transactionId = readRequest(datagram);
  const address = addressBytes(remote.address);
  // A datagram that is not a request does not use up a budget.
  if (transactionId === undefined || address === undefined) return;
  if (!limits.allow(networkOf(address))) return;
  const { port } = remote;
  socket.send(encodeBindingResponse(transactionId, { address, port }), port, remote.address);
}

/** Returns the transaction of a binding request; undefined for anything else. */
function readRequest(datagram: Uint8Array): Uint8Array | undefined {
  if (datagram.length > maxRequestBytes || !isStun(datagram)) return undefined;
  try {
    const message = parseStunMessage(datagram);
    return message?.type === "binding-request" ? message.transactionId : undefined;
  } catch (error) {
    if (!(error instanceof StunError)) throw error;
    return undefined;
  }
}

/** Returns the name of the network of one site: an IPv4 address, or 64 bits of an IPv6 address. */
function networkOf(address: Uint8Array): string {
  return encodeHex(address.subarray(0, 8));
}

/** Bounds the responses, so that forged requests cannot make the listener flood others. */
class ResponseLimits {
  readonly #clock: Clock;
  readonly #all = new TokenBucket(inAll);
  readonly #byAddress = new TokenBuckets(perAddress, maxAddresses);

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  allow(address: string): boolean {
    const nowMs = this.#clock.monotonic();
    return this.#byAddress.of(address, nowMs).tryTake(1, nowMs) && this.#all.tryTake(1, nowMs);
  }
}

/** Returns the bytes of an address in its text form: 4, also of an IPv4 address within IPv6, or 16. */
export function addressBytes(text: string): Uint8Array | undefined {
  if (isIP(text) === 0) return undefined;
  return Uint8Array.from(ipaddr.process(text).toByteArray());
}
