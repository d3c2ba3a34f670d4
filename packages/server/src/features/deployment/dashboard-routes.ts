import { pagePaths } from "@slipway/api/deployment/page-paths";
import type { FastifyInstance } from "fastify";

import type { Dashboard } from "../../platform/http/dashboard.ts";
import type { RequestLimits } from "../../platform/http/request-limits.ts";

/** The pages that others answer, with the dashboard or without a browser's. */
const answeredElsewhere: ReadonlySet<string> = new Set([
  "/",
  "/login",
  "/login/device",
  "/cli-auth",
]);

/** Serves the dashboard: its page at the addresses of all its pages, and its files. */
export function addDashboard(
  app: FastifyInstance,
  { dashboard, limits }: { readonly dashboard: Dashboard; readonly limits: RequestLimits },
): void {
  for (const path of pagePaths.filter((one) => !answeredElsewhere.has(one))) {
    app.get(path, async (request, reply) => {
      limits.countPage("dashboard", request, reply);
      return dashboard.sendPage(request, reply);
    });
  }
  // Not counted: a refusal costs as much as an answer from memory, and the browsers of many people behind one address
  // each load all of them.
  app.get<{ Params: { readonly file: string } }>("/assets/:file", async (request, reply) =>
    dashboard.sendFile(request, reply, `assets/${request.params.file}`),
  );
  app.get("/favicon.svg", async (request, reply) =>
    dashboard.sendFile(request, reply, "favicon.svg"),
  );
}
