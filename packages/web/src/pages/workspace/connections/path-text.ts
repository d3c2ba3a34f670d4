import type { ConnectionPath } from "@slipway/api/agents/connection-path-routes";

import { duration } from "../../../ui/time-text.ts";

/** Returns the way of an open connection in words; undefined stands for one that is not known. */
export function pathText(path: ConnectionPath | undefined): string {
  if (path === undefined) return "unknown";
  const { kind, region, latency_ms: latencyMs } = path;
  const way = region === null ? "direct" : `by ${region}`;
  const time = latencyMs === null ? [] : [duration(latencyMs)];
  if (kind === "server") {
    return ["through the server", ...(time.length === 0 ? [] : [way, ...time])].join(", ");
  }
  return [way, ...time].join(", ");
}
