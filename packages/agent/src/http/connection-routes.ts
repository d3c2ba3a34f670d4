import { type Clock, withDeadline } from "@slipway/runtime";
import type { PathVia, PingAnswer } from "@slipway/tailnet/path/path-action";

import type { ListedSession } from "../connections/session-log.ts";
import { type ApiRoute, jsonAnswer } from "./route.ts";

/** The maximum number of sessions that are listed, the newest. */
const maxListed = 256;
/** The maximum number of clients that are pinged for one list. */
const maxPinged = 64;
/** The time for a client to answer, in milliseconds. */
const answerMs = 2_000;

export interface ConnectionRoutesOptions {
  readonly sessions: { readonly list: () => readonly ListedSession[] };
  /** Pings the peer at an address of the network; undefined if there is none. */
  readonly ping: (address: string, signal: AbortSignal) => Promise<PingAnswer | undefined>;
  readonly clock: Pick<Clock, "sleep">;
}

/** The route that lists the open sessions, each with the path to its client and the time there and back. */
export function connectionRoutes({ sessions, ping, clock }: ConnectionRoutesOptions): ApiRoute[] {
  const pathTo = async (address: string, signal: AbortSignal): Promise<object | undefined> => {
    try {
      const answer = await withDeadline(answerMs, clock, (limit) =>
        ping(address, AbortSignal.any([signal, limit])),
      );
      return answer && { ...viaJson(answer.via), latency_ms: answer.latencyMs };
    } catch {
      // A client that does not answer has no known path; its session says what becomes of it.
      return undefined;
    }
  };
  return [
    {
      kind: "plain",
      method: "GET",
      path: "/api/v0/connections",
      handle: async ({ signal }) => {
        const listed = sessions.list().slice(-maxListed);
        const addresses = [...new Set(listed.map(({ ip }) => ip))].slice(-maxPinged);
        const paths = new Map(
          await Promise.all(
            addresses.map(async (address) => [address, await pathTo(address, signal)] as const),
          ),
        );
        return jsonAnswer({
          connections: listed.map(({ id, type, ip }) => ({ id, type, ip, path: paths.get(ip) })),
        });
      },
    },
  ];
}

function viaJson(via: PathVia): object {
  return via.kind === "udp" ? { kind: "direct" } : { kind: "relay", region_id: via.regionId };
}
