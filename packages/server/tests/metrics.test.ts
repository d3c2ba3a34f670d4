import { readFile } from "node:fs/promises";

import { silentLogger } from "@slipway/runtime";
import { pushTemplate } from "@slipway/testkit";
import { Gauge, Registry } from "prom-client";
import { afterAll, beforeAll, expect, inject, it } from "vitest";

import { addMonitoringRoutes } from "../src/features/deployment/routes.ts";
import { createHttpServer } from "../src/platform/http/http-server.ts";
import { RequestLimits } from "../src/platform/http/request-limits.ts";
import { type OpenServer, openServer } from "./support/open-server.ts";

const opened = new AsyncDisposableStack();
let server: OpenServer;

beforeAll(async () => {
  server = opened.use(await openServer(inject("postgresUrl")));
});

afterAll(() => opened.disposeAsync());

/** Resolves to the value of one line of the Prometheus metrics. */
async function readMetric(series: string): Promise<number | undefined> {
  const text = await (await fetch(`${server.url}/metrics`)).text();
  const line = text.split("\n").find((candidate) => candidate.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length + 1));
}

const requests = (labels: string): string =>
  `slipway_http_request_duration_seconds_count{${labels}}`;

it("reports the metrics on docs/metrics.md, with their meaning, and no others", async () => {
  const page = await readFile(new URL("../../../docs/metrics.md", import.meta.url), "utf8");
  const rows = [...page.matchAll(/^\| `(slipway_\S+)` +\| \w+ +\| (.*?) +\|$/gm)];
  const described = rows.map(([, name, meaning]) => `${name} ${meaning}`);
  const text = await (await fetch(`${server.url}/metrics`)).text();
  const reported = [...text.matchAll(/^# HELP (slipway_.*)$/gm)].map(([, line = ""]) => line);
  expect(new Set(reported), "npm run generate").toEqual(new Set(described));
});

it("counts requests by route and status, whatever the ids in them", async () => {
  const unknown = "11111111-1111-4111-8111-111111111111";
  await server.request("GET", `/workspaces/${unknown}`);
  await server.request("GET", "/workspaces/22222222-2222-4222-8222-222222222222");
  await server.request("GET", `/nowhere/${unknown}`);
  const route = 'method="GET",route="/api/v2/workspaces/:workspace",status="404"';
  await expect.poll(() => readMetric(requests(route))).toBe(2);
  await expect.poll(() => readMetric(requests('method="GET",route="none",status="404"'))).toBe(1);
});

it("counts jobs by type and outcome", async () => {
  await pushTemplate(
    server.admin,
    "mine",
    "driver: external\nagents:\n  main: { os: linux, arch: amd64 }\n",
  );
  await expect(pushTemplate(server.admin, "bad", "driver: nothing\n")).rejects.toThrow();
  const jobs = (outcome: string): string =>
    `slipway_jobs_total{type="template_version_import",outcome="${outcome}"}`;
  await expect.poll(() => readMetric(jobs("succeeded"))).toBe(1);
  await expect.poll(() => readMetric(jobs("failed"))).toBe(1);
});

it("tells agents and lines of logs, also when there are none", async () => {
  expect(await readMetric("slipway_agents_connected")).toBe(0);
  expect(await readMetric("slipway_agent_log_lines_total")).toBe(0);
});

it("measures once for all who ask at the same time, and again a moment later", async () => {
  let now = 0;
  let measured = 0;
  const metrics = new Registry();
  const collect = (): void => void (measured += 1);
  metrics.registerMetric(new Gauge({ name: "g", help: "g", collect, registers: [] }));
  await using app = await createHttpServer("v0", silentLogger);
  const limits = new RequestLimits({ now: () => 0 });
  addMonitoringRoutes(app, {
    db: server.db,
    metrics,
    limits,
    clock: { monotonic: () => now },
    draining: { hasBegun: false },
  });
  const ask = () => app.inject({ url: "/metrics" });
  const answers = await Promise.all(Array.from({ length: 20 }, ask));
  expect(new Set(answers.map(({ statusCode }) => statusCode))).toEqual(new Set([200]));
  expect(measured).toBe(1);
  now = 249;
  await ask();
  expect(measured).toBe(1);
  now = 250;
  await ask();
  expect(measured).toBe(2);
});
