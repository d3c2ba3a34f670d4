import { randomUUID } from "node:crypto";

import { createTemplate } from "@slipway/api/templates/routes";
import { createBuild } from "@slipway/api/workspaces/build-routes";
import { createWorkspace } from "@slipway/api/workspaces/routes";
import type { Workspace } from "@slipway/api/workspaces/workspace";
import {
  type Driver,
  type DriverBuild,
  DriverError,
  type DriverLog,
  type DriverPlan,
  type DriverResource,
  type DriverResult,
  type PlanInput,
} from "@slipway/drivers";
import { requireAgent, pushVersion, waitForWorkspace } from "@slipway/testkit";
import { sql } from "kysely";
import { afterAll, beforeAll, beforeEach, expect, inject, it } from "vitest";

import { endStorably } from "../src/platform/jobs/job-outcome.ts";
import { IdleDriver } from "./support/idle-driver.ts";
import { openServer, type OpenServer } from "./support/open-server.ts";

/* What infrastructure says in texts that PostgreSQL does not store, as any driver may pass it on. */

const half = "\ud83d";
const bad = `a\0b${half}`;

/** A driver whose resources, log lines and errors have texts that cannot be stored. */
class OddDriver extends IdleDriver implements Driver {
  fails = false;

  override async plan(input: PlanInput, log: DriverLog): Promise<DriverPlan> {
    log.write("info", bad, bad);
    return { resources: this.#resources(input.agents) };
  }

  override async start(build: DriverBuild, log: DriverLog): Promise<DriverResult> {
    // Lines are cut at 8,192 characters: here in the middle of one.
    log.write("info", bad, `${"x".repeat(8_191)}\u{1f600}`);
    if (this.fails) throw new DriverError("unavailable", `refused: ${bad}`);
    return { state: undefined, resources: this.#resources(build.agents) };
  }

  #resources(agents: readonly { readonly name: string }[]): readonly DriverResource[] {
    const metadata = [{ key: bad, value: bad, isSensitive: false }];
    const agentNames = agents.map(({ name }) => name);
    return [{ type: bad, name: bad, icon: bad, metadata, agentNames }];
  }
}

const opened = new AsyncDisposableStack();
const driver = new OddDriver();
let server: OpenServer;
let templateId = "";

beforeAll(async () => {
  server = opened.use(await openServer(inject("postgresUrl"), {}, [driver]));
  const version = await pushVersion(
    server.admin,
    "driver: manual\nagents: { main: { os: linux, arch: amd64 } }\n",
  );
  const body = { name: "odd", template_version_id: version };
  const params = { organization: "default" };
  templateId = (await server.admin.call(createTemplate, { params, body })).id;
});
afterAll(() => opened.disposeAsync());
beforeEach(() => {
  driver.fails = false;
});

async function built(name: string): Promise<Workspace> {
  const body = { name, template_id: templateId };
  const { id } = await server.admin.call(createWorkspace, { params: { user: "me" }, body });
  return ended(id);
}

function ended(id: string): Promise<Workspace> {
  return waitForWorkspace(server.admin, id, ({ latest_build: { job } }) =>
    ["succeeded", "failed"].includes(job.status),
  );
}

it("resources are stored with what is left of their texts", async () => {
  const workspace = await built("resources");
  expect(workspace.latest_build.job).not.toHaveProperty("error");
  const [resource] = workspace.latest_build.resources;
  const left = "ab\ufffd";
  expect(resource).toMatchObject({ type: left, name: left, icon: left });
  expect(resource?.metadata).toEqual([{ key: left, value: left, sensitive: false }]);
  expect(requireAgent(workspace).name).toBe("main");
});

it("an error ends the job", async () => {
  driver.fails = true;
  const { latest_build: build } = await built("error");
  expect(build.job).toMatchObject({ status: "failed", error: "refused: ab\ufffd" });
});

it("a result that cannot be stored all the same fails the job, and its workspace can be built again", async () => {
  const { id, latest_build: build } = await built("result");
  const { rows } = await sql<{ id: string }>`
    update jobs set completed_at = null, worker_id = ${randomUUID()}, attempt = 7,
        lease_until = now() + interval '1 hour'
      where id = ${build.job.id} returning worker_id as id`.execute(server.db);
  const holder = { jobId: build.job.id, workerId: rows[0]?.id ?? "", attempt: 7 };
  const { isEnded, outcome } = await endStorably(server.db, holder, {
    error: undefined,
    topics: [],
    commit: async (trx) => {
      await sql`select ${JSON.stringify({ text: bad })}::jsonb`.execute(trx);
    },
    whenUnstorable: (error) => ({ error: `instead: ${error}`, topics: [], commit: async () => {} }),
  });
  expect(isEnded).toBe(true);
  expect(outcome.error).toContain("instead: the result cannot be stored");
  expect((await ended(id)).latest_build.job.error).toBe(outcome.error);
  await server.admin.call(createBuild, {
    params: { workspace: id },
    body: { transition: "stop" },
  });
  expect((await ended(id)).latest_build.job.status).toBe("succeeded");
});
