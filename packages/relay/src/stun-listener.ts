import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { once } from "node:events";
import { isIPv6 } from "node:net";

import { type Clock, TokenBucket, TokenBuckets } from "@slipway/runtime";
import { encodeBindingResponse, isStun, parseStunMessage, StunError } from "@slipway/wire";

import { addressBytes } from "./address-bytes.ts";

/** The responses for one address, whose owner may not have asked: a second, and at once. */
const perAddress = { perSecond: 20, burst: 60 } as const;
/** The responses for all addresses. */
const inAll = { perSecond: 5_000, burst: 10_000 } as const;
/** The addresses that are counted one by one. */
const maxAddresses = 10_000;

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

/** Listens for binding requests by UDP and tells each client its address. Rejects with the error of the system. */
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
  // A datagram that could not be sent is lost like others.
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
  if (!isStun(datagram)) return;
  const address = addressBytes(remote.address);
  if (address === undefined || !limits.allow(remote.address)) return;
  try {
    const message = parseStunMessage(datagram);
    if (message?.type !== "binding-request") return;
    const { port } = remote;
    const response = encodeBindingResponse(message.transactionId, { address, port });
    socket.send(response, port, remote.address);
  } catch (error) {
    if (!(error instanceof StunError)) throw error;
  }
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
