import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { once } from "node:events";
import { isIPv6 } from "node:net";

import { countText, type Clock, errorText, Scope } from "@slipway/runtime";
import { ignoreAbsentAddress } from "@slipway/sdk/node";

import type { RemoteSocket } from "../../resources/network/agent-ports.ts";
import type { Forward } from "./forward-spec.ts";
import { listenFailure } from "./tcp-forward.ts";

/** The time after which a flow without datagrams is forgotten, in milliseconds (docs/protocol/agent.md §8). */
const idleMs = 120_000;
const sweepMs = 10_000;
/** The maximum number of local senders of a forward; the one that was silent for longest makes room. */
const maxFlows = 1024;

/** The parts that a forward uses. */
export interface UdpForwardNeeds {
  /** Opens a socket to a port of the workspace. */
  readonly connect: (port: number) => RemoteSocket;
  readonly report: (text: string) => void;
  readonly clock: Clock;
}

interface Flow {
  readonly remote: RemoteSocket;
  lastUsedMs: number;
}

/** Carries datagrams between local senders and a port of the workspace. Its opener disposes of it. */
export class UdpForward implements AsyncDisposable {
  readonly #forward: Forward;
  readonly #needs: UdpForwardNeeds;
  readonly #sockets: Socket[] = [];
  /** By the address of the sender, longest silent first. */
  readonly #flows = new Map<string, Flow>();
  readonly #scope = new Scope();

  private constructor(forward: Forward, needs: UdpForwardNeeds) {
    this.#forward = forward;
    this.#needs = needs;
    this.#scope.run((signal) => this.#sweep(signal));
  }

  /** Throws `CommandError` if it cannot listen on the local address. */
  static async open(forward: Forward, needs: UdpForwardNeeds): Promise<UdpForward> {
    const opened = new UdpForward(forward, needs);
    try {
      await opened.#bind(forward.address ?? "127.0.0.1");
      if (forward.address === undefined) await opened.#bind("::1").catch(ignoreAbsentAddress);
      return opened;
    } catch (error) {
      await opened[Symbol.asyncDispose]();
      throw listenFailure(forward, error);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = this.#sockets.map((socket) => once(socket, "close"));
    for (const socket of this.#sockets) socket.close();
    for (const { remote } of this.#flows.values()) remote.close();
    await Promise.all([...closed, this.#scope.close()]);
  }

  async #bind(address: string): Promise<void> {
    const socket = createSocket(
      isIPv6(address) ? { type: "udp6", ipv6Only: true } : { type: "udp4" },
    );
    socket.on("message", (payload, from) => this.#take(socket, payload, from));
    try {
      socket.bind({ address, port: this.#forward.localPort, exclusive: true });
      await once(socket, "listening");
    } catch (error) {
      socket.close();
      throw error;
    }
    // Later errors concern single datagrams, such as an answer to a sender that is gone.
    socket.on("error", () => undefined);
    this.#sockets.push(socket);
  }

  #take(socket: Socket, payload: Uint8Array, from: RemoteInfo): void {
    const key = `${from.address} ${from.port}`;
    try {
      const flow = this.#flows.get(key) ?? this.#open(socket, key, from);
      this.#use(key, flow);
      flow.remote.send(payload);
    } catch (error) {
      this.#needs.report(
        `a datagram of ${countText(payload.length, "byte")} was dropped: ${errorText(error)}`,
      );
    }
  }

  #open(socket: Socket, key: string, { address, port }: RemoteInfo): Flow {
    const [oldest] = this.#flows.keys();
    if (this.#flows.size >= maxFlows && oldest !== undefined) this.#forget(oldest);
    const remote = this.#needs.connect(this.#forward.remotePort);
    const flow = { remote, lastUsedMs: 0 };
    this.#scope.run(async () => {
      for await (const payload of remote) {
        // An answer may still come over a flow that was forgotten.
        if (this.#flows.get(key) === flow) this.#use(key, flow);
        socket.send(payload, port, address, () => undefined);
      }
    });
    return flow;
  }

  /** Notes that a flow is in use, which moves it to the end of the map. */
  #use(key: string, flow: Flow): void {
    flow.lastUsedMs = this.#needs.clock.monotonic();
    this.#flows.delete(key);
    this.#flows.set(key, flow);
  }

  #forget(key: string): void {
    this.#flows.get(key)?.remote.close();
    this.#flows.delete(key);
  }

  async #sweep(signal: AbortSignal): Promise<void> {
    const { clock } = this.#needs;
    for (;;) {
      await clock.sleep(sweepMs, signal);
      for (const [key, { lastUsedMs }] of this.#flows) {
        if (clock.monotonic() - lastUsedMs < idleMs) break;
        this.#forget(key);
      }
    }
  }
}
