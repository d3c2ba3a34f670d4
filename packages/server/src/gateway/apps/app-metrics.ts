import { Counter, Histogram, type Registry } from "prom-client";

import { addGauge } from "../../platform/read-metrics.ts";
import type { AppAddress } from "./app-address.ts";

/** The end of a request to an app: what the viewer got, or the reason why it was not answered by the app. */
export type AppOutcome = "answered" | "upgraded" | "refused" | "redirected" | "failed" | "left";

export interface AppMetrics {
  readonly count: (access: AppAddress["access"], outcome: AppOutcome) => void;
  readonly firstByte: (seconds: number) => void;
}

/** Upper bounds in seconds: from an app on this machine to one that makes people wait. */
const firstByteSeconds = [0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5, 30];

/** Adds the metrics of apps. */
export function addAppMetrics(
  registry: Registry,
  read: { readonly open: () => number; readonly unused: () => number },
): AppMetrics {
  const registers = [registry];
  const requests = new Counter({
    name: "slipway_app_requests_total",
    help: "Requests to workspace apps by `access` (`path` or `subdomain`) and `outcome`: `answered` by the app, `upgraded` to a WebSocket or another protocol, `redirected`, `refused`, `failed`, or `left` by a viewer who did not wait.",
    labelNames: ["access", "outcome"],
    registers,
  });
  const firstBytes = new Histogram({
    name: "slipway_app_first_byte_seconds",
    help: "Time from a request to the header of the app's answer, once access is granted.",
    buckets: firstByteSeconds,
    registers,
  });
  addGauge(
    registry,
    "slipway_app_requests_open",
    "Requests to workspace apps that are in progress, including WebSockets.",
    read.open,
  );
  addGauge(
    registry,
    "slipway_app_connections_unused",
    "Connections to workspace apps that are kept for the next request.",
    read.unused,
  );
  return {
    count: (access, outcome) => requests.inc({ access, outcome }),
    firstByte: (seconds) => firstBytes.observe(seconds),
  };
}
