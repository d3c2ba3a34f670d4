import { pushTemplate } from "@slipway/testkit";
import { afterAll, beforeAll, expect, inject, it } from "vitest";

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
