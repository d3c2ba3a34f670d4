import type { Relay, RelayTransport } from "@slipway/relay";
import { type Clock, withDeadline } from "@slipway/runtime";
import type { DerpNode } from "@slipway/tailnet/relay/derp-map";
import { RelayError } from "@slipway/tailnet/relay/errors";
import type { RelayDialer } from "@slipway/tailnet/relay/relay-stream";

/** The time to connect to another relay. */
const connectTimeoutMs = 10_000;

const notTrusted =
  "the two relays do not trust each other; if the other replica runs another release, upgrade it: until then, peers that are " +
  "connected to different ones of the two reach each other by direct paths only";

interface LinkNeeds {
  readonly relay: Pick<Relay, "link">;
  readonly dialer: RelayDialer;
  readonly clock: Pick<Clock, "sleep">;
  readonly signal: AbortSignal;
}

/** The relay to link to: the relay that answers at the URL must prove that it has the id. */
export interface LinkTarget {
  readonly id: string;
  readonly url: string;
}

/**
 * Links a relay to another one until the connection ends, which it throws as a `RelayError`, or the signal's reason.
 */
export async function linkRelay(
  { id, url }: LinkTarget,
  { relay, dialer, clock, signal }: LinkNeeds,
): Promise<never> {
  const stream = await withDeadline(
    connectTimeoutMs,
    clock,
    (limit) => dialer.dial(nodeOf(url), "upgrade", AbortSignal.any([signal, limit])),
    "connection",
  );
  const ended = Promise.withResolvers<never>();
  const transport: RelayTransport = {
    send: (pieces, sent) => stream.send(pieces, sent),
    // A link is read without pauses: the packets that wait for clients are bounded.
    pause: () => undefined,
    resume: () => undefined,
    end: () => stream.end(),
    destroy: () => stream.destroy(),
  };
  const session = relay.link(transport, id);
  const stop = (): void => stream.destroy();
  signal.addEventListener("abort", stop, { once: true });
  stream.start({
    receive: (chunk) => session.receive(chunk),
    closed: (reason) => {
      session.closed();
      const why = reason === undefined ? "" : `: ${reason}`;
      ended.reject(
        session.isRefused
          ? new RelayError("login", notTrusted)
          : new RelayError("session", `the other relay closed the connection${why}`),
      );
    },
  });
  try {
    if (signal.aborted) stop();
    return await ended.promise;
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

function nodeOf(url: string): DerpNode {
  const { protocol, hostname, port } = new URL(url);
  const isHttp = protocol === "http:";
  return {
    name: url,
    hostName: hostname.replace(/^\[|\]$/g, ""),
    certName: undefined,
    ipv4: undefined,
    ipv6: undefined,
    port: Number(port) || (isHttp ? 80 : 443),
    isHttp,
    isInsecure: false,
    isStunOnly: false,
    stunPort: undefined,
  };
}
