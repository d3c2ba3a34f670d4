import { createSocket, type Socket } from "node:dgram";

import type { Endpoint } from "@slipway/tailnet/stack/address";
import { StackError } from "@slipway/tailnet/stack/errors";
import type { DatagramHandler } from "@slipway/tailnet/stack/udp-layer";
import type { Datagram } from "@slipway/tailnet/stack/udp-socket";

import type { DescriptorShare } from "../connections/descriptors.ts";

/** The silence after which a flow ends (docs/protocol/tailnet.md §1.5). */
const idleMs = 2 * 60_000;
const dnsPort = 53;
const dnsIdleMs = 30_000;
/** The maximum number of flows; a further one replaces the one that has been silent for longest. */
const maxFlows = 1024;
/** The maximum number of datagrams that wait for a flow's socket; further ones are dropped. */
const maxWaiting = 64;

export interface UdpForwarderOptions {
  /** Sends a reply to a peer, as `NetworkStack.sendUdp` does. */
  readonly send: (from: Endpoint, to: Endpoint, payload: Uint8Array) => void;
  readonly signal: AbortSignal;
  readonly descriptors: DescriptorShare;
}

/** Forwards datagrams to ports of the workspace's loopback interface, and the replies, until the signal is aborted. */
export function createUdpForwarder({
  send,
  signal,
  descriptors,
}: UdpForwarderOptions): DatagramHandler {
  const flows = new Map<string, Flow>();
  signal.addEventListener(
    "abort",
    () => {
      for (const flow of flows.values()) flow.close();
    },
    { once: true },
  );
  return (datagram) => {
    if (signal.aborted) return;
    const key = flowKey(datagram);
    let flow = flows.get(key);
    if (flow === undefined) {
      const [oldest] = flows.values();
      if (flows.size >= maxFlows) oldest?.close();
      const descriptor = descriptors.take(1);
      // Datagrams may be lost.
      if (descriptor === undefined) return;
      flow = new Flow(datagram, send, () => {
        flows.delete(key);
        descriptor[Symbol.dispose]();
      });
    }
    // The most recent is last.
    flows.delete(key);
    flows.set(key, flow);
    flow.forward(datagram.payload);
  };
}

function flowKey({ from, to }: Datagram): string {
  return [from, to].map(({ address, port }) => `${address.join(".")}:${port}`).join(" ");
}

/** The datagrams between one port of a peer and one of the workspace. */
class Flow {
  readonly #socket: Socket;
  readonly #onClose: () => void;
  readonly #idle: NodeJS.Timeout;
  #waiting: Uint8Array[] | undefined = [];
  #isClosed = false;

  constructor({ from, to }: Datagram, send: UdpForwarderOptions["send"], onClose: () => void) {
    this.#onClose = onClose;
    this.#idle = setTimeout(() => this.close(), to.port === dnsPort ? dnsIdleMs : idleMs);
    this.#socket = createSocket("udp4");
    this.#socket.on("error", () => this.close());
    this.#socket.on("message", (payload) => {
      this.#idle.refresh();
      try {
        send(to, from, payload);
      } catch (error) {
        // The reply does not fit into the tunnel, or the stack is closed: datagrams may be lost.
        if (!(error instanceof StackError)) throw error;
      }
    });
    this.#socket.connect(to.port, "127.0.0.1", () => this.#sendWaiting());
  }

  forward(payload: Uint8Array): void {
    this.#idle.refresh();
    if (this.#isClosed) return;
    if (this.#waiting === undefined) this.#socket.send(payload);
    else if (this.#waiting.length < maxWaiting) this.#waiting.push(payload);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearTimeout(this.#idle);
    this.#onClose();
    this.#socket.close();
  }

  #sendWaiting(): void {
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    for (const payload of waiting) if (!this.#isClosed) this.#socket.send(payload);
  }
}
