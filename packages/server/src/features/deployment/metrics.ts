import type { FastifyInstance } from "fastify";
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from "prom-client";

/** The metrics that Prometheus reads at `/metrics`; `docs/metrics.md` lists them. */
export interface Metrics {
  readonly registry: Registry;
  readonly connectedAgents: Gauge;
  readonly storedLogLines: Counter;
  readonly endedJobs: Counter<"type" | "outcome">;
  readonly stageSeconds: Histogram<"type" | "stage" | "outcome">;
  readonly httpRequests: Histogram<"method" | "route" | "status">;
  readonly reconciliationSeconds: Histogram;
  readonly claimSeconds: Histogram<"template_name" | "preset_name" | "organization_name">;
}

/** Upper bounds in seconds: from a cached read to more than a person waits. */
const requestSeconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5];
/** Upper bounds in seconds: from a pass that finds nothing to do to one that creates hundreds of workspaces. */
const reconciliationSeconds = [0.005, 0.025, 0.1, 0.5, 1, 5, 15, 60];

/** Upper bounds in seconds: from a plan of nothing to the longest run. */
const stageSeconds = [0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600];

/** Creates the metrics of one server, in its own registry, so that two servers in one process do not mix. */
export function createMetrics(): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  return {
    registry,
    connectedAgents: new Gauge({
      name: "slipway_agents_connected",
      help: "Agents with an open session on this replica.",
      registers,
    }),
    storedLogLines: new Counter({
      name: "slipway_agent_log_lines_total",
      help: "Stored lines of agents' logs; a line that an agent sends twice counts once.",
      registers,
    }),
    endedJobs: new Counter({
      name: "slipway_jobs_total",
      help: "Completed jobs by `type` (`template_version_import`, `template_version_dry_run`, `workspace_build`) and `outcome` (`succeeded`, `failed`, `canceled`).",
      labelNames: ["type", "outcome"],
      registers,
    }),
    stageSeconds: new Histogram({
      name: "slipway_job_stage_duration_seconds",
      help: "Duration of the stages of jobs of Terraform templates by `type` (as in `slipway_jobs_total`), `stage` (`init`, `plan`, `graph`, which reads the resources and their relations, `apply`) and `outcome` (`succeeded`, `failed`).",
      labelNames: ["type", "stage", "outcome"],
      buckets: stageSeconds,
      registers,
    }),
    httpRequests: new Histogram({
      name: "slipway_http_request_duration_seconds",
      help: "Duration of answered HTTP requests by `method`, `route` and `status`. A route is its pattern, such as `/api/v2/workspaces/:workspace`, or `none`. WebSockets and event streams are excluded.",
      labelNames: ["method", "route", "status"],
      buckets: requestSeconds,
      registers,
    }),
    reconciliationSeconds: new Histogram({
      name: "slipway_prebuilds_reconciliation_duration_seconds",
      help: "Duration of this replica's reconciliations of all pools, including creations and deletions.",
      buckets: reconciliationSeconds,
      registers,
    }),
    claimSeconds: new Histogram({
      name: "slipway_prebuilt_workspace_claim_duration_seconds",
      help: "Duration of this replica's requests that claimed a prebuild, up to the commit.",
      labelNames: ["template_name", "preset_name", "organization_name"],
      buckets: requestSeconds,
      registers,
    }),
  };
}

/**
 * Measures every response by its route, not by its address, so that ids create no new series. Streams end with their
 * reader, so their duration says nothing about the server.
 */
export function measureRequests(
  app: FastifyInstance,
  { httpRequests }: Pick<Metrics, "httpRequests">,
): void {
  app.addHook("onResponse", async (request, reply) => {
    if (reply.raw.getHeader("content-type") === "text/event-stream") return;
    const { method } = request;
    const route = request.routeOptions.url ?? "none";
    const labels = { method, route, status: reply.raw.statusCode };
    httpRequests.observe(labels, reply.elapsedTime / 1000);
  });
}
