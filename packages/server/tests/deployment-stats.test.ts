import { randomUUID } from "node:crypto";

import { createWorkspace } from "@slipway/api/workspaces/routes";
import { silentLogger, systemClock } from "@slipway/runtime";
import { firstAgent, pushTemplate, waitForWorkspace } from "@slipway/testkit";
import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";

import { announceWorker } from "../src/features/organizations/worker-service.ts";
import { type OpenServer, openReplica, openServer } from "./support/open-server.ts";

const template = "driver: external\nagents:\n  main: { os: linux, arch: amd64 }\n";
const workers = "/organizations/default/provisionerdaemons";

const opened = new AsyncDisposableStack();
let server: OpenServer;
let templateId = "";

beforeAll(async () => {
  server = opened.use(await openServer(inject("postgresUrl")));
  templateId = await pushTemplate(server.admin, "outside", template);
});
afterAll(() => opened.disposeAsync());

async function make(name: string): Promise<string> {
  const { id } = await server.admin.call(createWorkspace, {
    params: { user: "me" },
    body: { name, template_id: templateId },
  });
  const made = await waitForWorkspace(
    server.admin,
    id,
    (one) => one.latest_build.status === "running",
  );
  return firstAgent(made)?.id ?? "";
}

async function report(agentId: string, age: string, stats: object): Promise<void> {
  await sql`insert into workspace_agent_stats (workspace_agent_id, stats, created_at)
    values (${agentId}, ${JSON.stringify(stats)}, now() - ${age}::interval)`.execute(server.db);
}

describe("the statistics of a deployment", () => {
  it("are those of nobody at first", async () => {
    expect(await server.request("GET", "/deployment/stats")).toMatchObject({
      status: 200,
      body: {
        workspaces: {
          pending: 0,
          building: 0,
          running: 0,
          failed: 0,
          stopped: 0,
          connection_latency_ms: { P50: -1, P95: -1 },
          rx_bytes: 0,
          tx_bytes: 0,
        },
        session_count: { vscode: 0, ssh: 0, jetbrains: 0, reconnecting_pty: 0 },
      },
    });
  });

  it("count workspaces, and what agents reported in the last minutes", async () => {
    const [first, second] = [await make("one"), await make("two")];
    const third = await make("three");
    const stopped = await server.admin.call(createWorkspace, {
      params: { user: "me" },
      body: { name: "four", template_id: templateId },
    });
    await waitForWorkspace(
      server.admin,
      stopped.id,
      (one) => one.latest_build.status === "running",
    );
    await server.request("POST", `/workspaces/${stopped.id}/builds`, { transition: "stop" });
    await waitForWorkspace(
      server.admin,
      stopped.id,
      (one) => one.latest_build.status === "stopped",
    );
    const latency = "connection_median_latency_ms";
    await report(first, "1 hour", { rx_bytes: 5000, [latency]: 900, session_count_ssh: 9 });
    await report(first, "5 minutes", { rx_bytes: 100, tx_bytes: 1, [latency]: 10 });
    await report(first, "1 minute", { rx_bytes: 200, [latency]: 30, session_count_ssh: 2 });
    await report(second, "10 seconds", { tx_bytes: 7, session_count_vscode: 1, [latency]: -1 });
    await report(second, "4 minutes", { session_count_vscode: 4 });
    await report(third, "2 minutes", { session_count_jetbrains: 3 });
    const expected = {
      workspaces: {
        pending: 0,
        building: 0,
        running: 3,
        failed: 0,
        stopped: 1,
        connection_latency_ms: { P50: 20, P95: 29 },
        rx_bytes: 300,
        tx_bytes: 8,
      },
      session_count: { vscode: 1, ssh: 2, jetbrains: 0, reconnecting_pty: 0 },
    };
    // Callers within a second get the same response.
    await expect
      .poll(() => server.request("GET", "/deployment/stats"), { timeout: 10_000 })
      .toMatchObject({ body: expected });
  });
});

describe("the workers of a deployment", () => {
  it("are its servers, with the jobs that they did", async () => {
    await expect
      .poll(() => server.request("GET", workers))
      .toMatchObject({
        body: [
          {
            version: expect.stringMatching(/^v\d/),
            api_version: "1.18",
            provisioners: expect.arrayContaining(["external", "process"]),
            tags: { owner: "", scope: "organization" },
            key_name: "built-in",
            status: "idle",
            current_job: null,
            previous_job: { status: "succeeded", template_name: "outside" },
          },
        ],
      });
    const replica = opened.use(await openReplica(server));
    await expect.poll(async () => (await server.request("GET", workers)).body).toHaveLength(2);
    await replica[Symbol.asyncDispose]();
  });

  it("are offline when they are not heard of, and shown only to who asks", async () => {
    await sql`insert into workers (id, name, version, drivers, last_seen_at)
      values (gen_random_uuid(), 'lost', 'v0', '{}', now() - interval '2 minutes')`.execute(
      server.db,
    );
    const namesOf = async (query: string): Promise<readonly string[]> => {
      const { body } = await server.request("GET", `${workers}?${query}`);
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the answer of the list
      return (body as readonly { readonly name: string }[]).map(({ name }) => name);
    };
    expect(await namesOf("")).not.toContain("lost");
    expect(await namesOf("offline=true")).toContain("lost");
    expect(await namesOf("status=offline")).toEqual(["lost"]);
    expect(await namesOf("offline=true&max_age=1m30s")).not.toContain("lost");
    expect(await namesOf("offline=true&limit=1")).toHaveLength(1);
    expect(await namesOf("status=busy")).toEqual([]);
  });

  it("are forgotten a week after they were heard of last", async () => {
    await sql`insert into workers (id, name, version, drivers, last_seen_at)
      select gen_random_uuid(), days || ' days', 'v0', '{}', now() - make_interval(days => days)
        from unnest(array[6, 8]) days`.execute(server.db);
    const stop = new AbortController();
    const platform = { db: server.db, clock: systemClock, logger: silentLogger };
    const worker = { id: randomUUID(), name: "new", version: "v0", drivers: [] };
    const announced = announceWorker(platform, worker, stop.signal);
    const names = async () => {
      const rows = await server.db.selectFrom("workers").select("name").execute();
      return rows.map(({ name }) => name);
    };
    await expect.poll(names).not.toContain("8 days");
    expect(await names()).toEqual(expect.arrayContaining(["6 days", "new"]));
    stop.abort();
    await expect(announced).rejects.toThrow();
  });

  it.each(["limit=x", "status=gone", "max_age=soon"])("are not listed by %s", async (query) => {
    expect(await server.request("GET", `${workers}?${query}`)).toMatchObject({ status: 400 });
  });
});
