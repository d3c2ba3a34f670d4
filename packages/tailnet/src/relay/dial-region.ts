import { type Clock, withDeadline } from "@slipway/runtime";

import { type DerpRegion, relayNodes } from "./derp-map.ts";
import { RelayError } from "./errors.ts";
import { connectTimeoutMs, maxTextLength } from "./limits.ts";
import type { RelayDialer, RelayStream, RelayTransport } from "./relay-stream.ts";

/** An open stream to one of a region's nodes. */
export interface DialedRegion {
  readonly stream: RelayStream;
  readonly transport: RelayTransport;
}

/** Dials the nodes of a region, and remembers whether WebSockets are required. */
export class RegionDialer {
  readonly #region: DerpRegion;
  readonly #dialer: RelayDialer;
  readonly #clock: Pick<Clock, "sleep">;
  readonly #isWebSocketOnly: boolean;
  #refusal: string | undefined;

  constructor(
    region: DerpRegion,
    {
      dialer,
      clock,
      forceWebSocket,
    }: {
      readonly dialer: RelayDialer;
      readonly clock: Pick<Clock, "sleep">;
      readonly forceWebSocket: boolean;
    },
  ) {
    this.#region = region;
    this.#dialer = dialer;
    this.#clock = clock;
    this.#isWebSocketOnly = forceWebSocket || !dialer.canUpgrade;
  }

  /** The answer by which a node refused the upgrade, after which only WebSockets are used; undefined if none did. */
  get refusal(): string | undefined {
    return this.#refusal;
  }

  /** Throws the `RelayError` of the last node, or the signal's reason. */
  async dial(signal: AbortSignal): Promise<DialedRegion> {
    const transport =
      this.#isWebSocketOnly || this.#refusal !== undefined ? "websocket" : "upgrade";
    try {
      return await withDeadline(
        connectTimeoutMs,
        this.#clock,
        (limit) => this.#dialNodes(transport, AbortSignal.any([signal, limit])),
        "connection",
      );
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof RelayError) throw error;
      throw new RelayError("tcp", "cannot connect to the relay", { cause: error });
    }
  }

  async #dialNodes(transport: RelayTransport, signal: AbortSignal): Promise<DialedRegion> {
    const nodes = relayNodes(this.#region);
    // By WebSocket only the first node is used (docs/protocol/tailnet.md §4.3).
    const candidates = transport === "websocket" ? nodes.slice(0, 1) : nodes;
    let last = new RelayError("dns", `region ${String(this.#region.regionId)} has no relay`);
    for (const node of candidates) {
      try {
        return { stream: await this.#dialer.dial(node, transport, signal), transport };
      } catch (error) {
        if (signal.aborted || !(error instanceof RelayError)) throw error;
        last = error;
        if (transport === "upgrade" && isRefusal(error)) {
          this.#refusal = error.message.slice(0, maxTextLength);
          break;
        }
      }
    }
    throw last;
  }
}

/** Only these refuse the upgrade itself (docs/protocol/tailnet.md §4.2). */
function isRefusal({ status = 0 }: RelayError): boolean {
  return status >= 400 && status <= 499;
}
