import { getBuildInfo } from "@slipway/api";
import type { FastifyInstance } from "fastify";
import { sql } from "kysely";
import type { Registry } from "prom-client";

import type { Database } from "../db/database.ts";
import { HttpError } from "../http/errors.ts";
import type { Routes } from "../http/routes.ts";

export interface DeploymentFacts {
  readonly version: string;
  /** Known once the server listens. */
  readonly accessUrl: () => string;
  readonly deploymentId: string;
}

export function addDeploymentRoutes(routes: Routes, facts: DeploymentFacts): void {
  routes.anyone(getBuildInfo, async () => ({
    external_url: "https://github.com/slipway/slipway",
    version: facts.version,
    dashboard_url: facts.accessUrl(),
    telemetry: false,
    workspace_proxy: false,
    // Constants of the protocol (`clients.md` section 0.6).
    agent_api_version: "1.0",
    provisioner_api_version: "1.18",
    upgrade_message: "",
    deployment_id: facts.deploymentId,
  }));
}

const healthTimeoutMs = 2_000;

/** What monitoring asks, outside the API: whether the server can serve, and its metrics. */
export function addMonitoringRoutes(app: FastifyInstance, db: Database, metrics: Registry): void {
  app.get("/healthz", async (_request, reply) => {
    const { promise: late, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => reject(new Error("no answer in time")), healthTimeoutMs);
    try {
      await Promise.race([sql`select 1`.execute(db), late]);
    } catch (error) {
      throw new HttpError(503, "The database does not answer.", { cause: error });
    } finally {
      clearTimeout(timer);
    }
    return reply.type("text/plain; charset=utf-8").serializer(String).send("OK");
  });
  app.get("/metrics", async (_request, reply) => {
    const text = await metrics.metrics();
    return reply.type(metrics.contentType).serializer(String).send(text);
  });
}
