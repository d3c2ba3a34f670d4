import { listAuditLogs } from "@slipway/api/audit/routes";
import type { Transition } from "@slipway/api/builds/resource";
import { createBuild } from "@slipway/api/workspaces/build-routes";
import { getExternalAgentCredentials } from "@slipway/api/workspaces/external-agent-routes";
import { getWorkspace } from "@slipway/api/workspaces/routes";
import type { Workspace } from "@slipway/api/workspaces/workspace";
import { pushTemplate } from "@slipway/testkit";
import { type Body, type Clouds, openClouds } from "@slipway/testkit/clouds";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";

import { copyWorkspace } from "./support/copy-workspace.ts";
import { addMachine, machineTemplate } from "./support/machines.ts";
import { openServer, type OpenServer } from "./support/open-server.ts";
import { addPerson, type Client } from "./support/people.ts";
import {
  claim,
  failBuilds,
  fillPool,
  listPrebuilds,
  pushPoolOf,
  waitForPrebuilds,
} from "./support/pool.ts";
import { openReinit } from "./support/reinit.ts";
import { type WireAnswer, wireRequest } from "./support/wire-request.ts";

/* Cloud instances that prove their identity: the server checks real signatures and answers from a real database. */

const opened = new AsyncDisposableStack();
let clouds: Clouds;
let server: OpenServer;
let ann: Client;
/** The template for each cloud. */
let aws: string;
let azure: string;
let google: string;

beforeAll(async () => {
  clouds = opened.use(await openClouds());
  // One test gives a user hundreds of workspaces.
  const limits = {
    SLIPWAY_MAX_WORKSPACES_PER_USER: "unlimited",
    SLIPWAY_MAX_RUNNING_WORKSPACES_PER_USER: "unlimited",
  };
  const environment = { ...clouds.environment, ...limits };
  server = opened.use(await openServer(inject("postgresUrl"), environment));
  ({ client: ann } = await addPerson(server, "ann"));
  const push = (cloud: string, names?: readonly string[]) =>
    pushTemplate(server.admin, cloud, machineTemplate(`${cloud}-instance-identity`, names));
  [aws, azure, google] = [await push("aws"), await push("azure"), await push("google")];
});

afterAll(() => opened.disposeAsync());

function exchange(cloud: string, body: Body): Promise<WireAnswer> {
  const path = `${server.url}/api/v2/workspaceagents/${cloud}-instance-identity`;
  return wireRequest("POST", path, { body });
}

/** Exchanges an identity as an AWS instance, whose agent may have a name. */
function exchangeAws(instanceId: string, agent_name?: string): Promise<WireAnswer> {
  const body = clouds.aws(instanceId);
  return exchange("aws", agent_name === undefined ? body : { ...body, agent_name });
}

async function readCredentials(client: Client, { id }: Workspace, agent = "main") {
  return client.call(getExternalAgentCredentials, { params: { workspace: id, agent } });
}

/** Returns the response that gives an instance the token of an agent. */
async function granted(client: Client, workspace: Workspace, agent?: string) {
  const { agent_token } = await readCredentials(client, workspace, agent);
  return { status: 200, body: { session_token: agent_token } };
}

async function build(client: Client, { id }: Workspace, transition: Transition): Promise<void> {
  const params = { workspace: id };
  const { build_number: number } = await client.call(createBuild, { params, body: { transition } });
  const newest = () =>
    server.db
      .selectFrom("workspace_builds as build")
      .innerJoin("jobs as job", "job.id", "build.job_id")
      .where("build.workspace_id", "=", id)
      .where("build.build_number", "=", number)
      .where("job.completed_at", "is not", null)
      .select("job.error")
      .executeTakeFirst();
  await expect.poll(newest).toEqual({ error: null });
}

describe("a machine that shows who it is", () => {
  it("of AWS gets the token of its agent, with which the agent is let in", async () => {
    const workspace = await addMachine(ann, aws, "aws-one", "i-one");
    const answer = await exchangeAws("i-one");
    expect(answer).toMatchObject(await granted(ann, workspace));
    const { agent_token: token } = await readCredentials(ann, workspace);
    const key = `${server.url}/api/v2/workspaceagents/me/gitsshkey`;
    expect(await wireRequest("GET", key, { token })).toMatchObject({ status: 200 });
    // Repeated requests get the same response.
    expect((await exchangeAws("i-one")).body).toEqual(answer.body);
    const query = { q: "resource_type:workspace_agent action:login" };
    expect((await server.admin.call(listAuditLogs, { query })).audit_logs).toMatchObject([
      {
        user: null,
        resource_target: "main",
        ip: "127.0.0.1",
        additional_fields: { auth: "aws-instance-identity", instance_id: "i-one" },
        description: "workspace agent {target} logged in by its machine",
      },
    ]);
  });

  it("of Azure gets the token of its agent", async () => {
    const workspace = await addMachine(ann, azure, "azure-one", "dc18de58");
    const wanted = await granted(ann, workspace);
    expect(await exchange("azure", clouds.azure("dc18de58"))).toMatchObject(wanted);
  });

  it.each(["RS256", "ES256"] as const)("of Google gets it with a token by %s", async (alg) => {
    const instance = `4711-${alg}`;
    const workspace = await addMachine(ann, google, `google-${alg.toLowerCase()}`, instance);
    const answer = await exchange("google", await clouds.google(instance, alg));
    expect(answer).toMatchObject(await granted(ann, workspace));
  });

  it("gets none for a signature of somebody else", async () => {
    const forged = await clouds.forged();
    const detail = "Signature verification failed.";
    const answers = {
      aws: { message: "Invalid AWS identity.", detail: "crypto/rsa: verification error" },
      azure: { message: "Invalid Azure identity.", detail },
      google: { message: "Invalid GCP identity.", detail: expect.stringContaining("signature") },
    };
    for (const cloud of ["aws", "azure", "google"] as const) {
      const answer = await exchange(cloud, forged[cloud]);
      expect(answer).toMatchObject({ status: 401, body: answers[cloud] });
    }
  });

  it("gets none of an agent that is known by a machine of another cloud, or by a token", async () => {
    await addMachine(ann, azure, "azure-two", "shared-id");
    const plain = "driver: external\nparameters: { instance: {} }\nagents: { main: {} }";
    await addMachine(ann, await pushTemplate(server.admin, "plain", plain), "plain", "shared-id");
    const missing = { status: 404, body: { message: 'Instance with id "shared-id" not found.' } };
    expect(await exchangeAws("shared-id")).toMatchObject(missing);
    expect(await exchange("google", await clouds.google("shared-id"))).toMatchObject(missing);
  });

  it("is refused for claims of wrong types", async () => {
    // The content of a valid signature may still be invalid.
    const answer = await exchange("google", await clouds.google(JSON.parse("4711")));
    expect(answer).toMatchObject({ status: 400, body: { message: "Error decoding JWT claims." } });
  });

  it("is counted by its address", async () => {
    const { headers } = await exchangeAws("i-nowhere");
    expect(headers.get("x-ratelimit-limit")).toBe("512");
  });
});

describe("from a machine to its agent", () => {
  it("there is none", async () => {
    const message = (id: string) => `Instance with id ${JSON.stringify(id)} not found.`;
    for (const id of ["i-none", "", "i 1", "\u00e4\n", "x".repeat(300)]) {
      expect(await exchangeAws(id)).toMatchObject({ status: 404, body: { message: message(id) } });
    }
  });

  it("there are several, which have names", async () => {
    const text = machineTemplate("aws-instance-identity", ["one", "two"]);
    const id = await pushTemplate(server.admin, "several", text);
    const workspace = await addMachine(ann, id, "several", "i-several");
    const ambiguous = {
      status: 409,
      body: {
        message:
          'Multiple agents found with instance ID "i-several". Set CODER_AGENT_NAME to one of: one, two',
      },
    };
    expect(await exchangeAws("i-several")).toMatchObject(ambiguous);
    expect(await exchangeAws("i-several", "  ")).toMatchObject(ambiguous);
    expect(await exchangeAws("i-several", " two ")).toMatchObject(
      await granted(ann, workspace, "two"),
    );
    expect(await exchangeAws("i-several", "three")).toMatchObject({
      status: 404,
      body: { message: 'No agent found with instance ID "i-several" and name "three".' },
    });
  });

  it("leads as long as the workspace runs, and anew after each start", async () => {
    const workspace = await addMachine(ann, aws, "restarted", "i-again");
    const before = await exchangeAws("i-again");
    await build(ann, workspace, "start");
    const after = await exchangeAws("i-again");
    expect(after).toMatchObject(await granted(ann, workspace));
    expect(after.body).not.toEqual(before.body);
    await build(ann, workspace, "stop");
    expect(await exchangeAws("i-again")).toMatchObject({ status: 404 });
    // A failed stop leaves the agent in place, but no longer in the newest build.
    await failBuilds(server, [
      await ann.call(getWorkspace, { params: { workspace: workspace.id } }),
    ]);
    const message = 'Resource found for id "i-again", but isn\'t registered on the latest history.';
    expect(await exchangeAws("i-again")).toMatchObject({ status: 400, body: { message } });
    expect(await exchangeAws("i-again", "main")).toMatchObject({ status: 400, body: { message } });
    await build(ann, workspace, "delete");
    expect(await exchangeAws("i-again")).toMatchObject({ status: 404 });
  });

  it("leads nowhere while two workspaces name the machine", async () => {
    const { client: bob } = await addPerson(server, "bob");
    const owned = await addMachine(ann, aws, "owned", "i-both");
    expect(await exchangeAws("i-both")).toMatchObject({ status: 200 });
    const taken = await addMachine(bob, aws, "taken", "i-both");
    const contested = {
      status: 409,
      body: {
        message: 'Several workspaces name the instance "i-both", so none of them gets a token.',
        detail: "Stop or delete all but one of them, or give each an instance of its own.",
      },
    };
    expect(await exchangeAws("i-both")).toMatchObject(contested);
    expect(await exchangeAws("i-both", "main")).toMatchObject(contested);
    await build(bob, taken, "stop");
    expect(await exchangeAws("i-both")).toMatchObject(await granted(ann, owned));
    await build(bob, taken, "start");
    expect(await exchangeAws("i-both", "main")).toMatchObject(contested);
    await build(bob, taken, "delete");
    expect(await exchangeAws("i-both")).toMatchObject(await granted(ann, owned));
  });

  it("is told from live workspaces only, however many others have failed builds", async () => {
    const { client: mallory } = await addPerson(server, "mallory");
    const { client: trudy } = await addPerson(server, "trudy");
    const instance = "i-crowded";
    const cancel = async (client: Client, workspace: Workspace, transition: Transition) => {
      const params = { workspace: workspace.id };
      await build(client, workspace, transition);
      const { latest_build: newest } = await client.call(getWorkspace, { params });
      const canceled = { canceled_at: newest.created_at };
      await server.db.updateTable("jobs").set(canceled).where("id", "=", newest.job.id).execute();
    };
    const owned = await addMachine(ann, aws, "crowded", instance);
    const dead = await addMachine(mallory, aws, "crowd", instance);
    await cancel(mallory, dead, "stop");
    await copyWorkspace(server.db, dead.id, 250);
    const gone = await addMachine(trudy, aws, "gone", instance);
    await build(trudy, gone, "delete");
    await copyWorkspace(server.db, gone.id, 250);
    // They are only ending, and do not affect the instance, whether the agent has a name or not.
    const wanted = await granted(ann, owned);
    expect(await exchangeAws(instance)).toMatchObject(wanted);
    expect(await exchangeAws(instance, "main")).toMatchObject(wanted);
    await build(ann, owned, "start");
    expect(await exchangeAws(instance)).toMatchObject(await granted(ann, owned));
    // A live one among them contests the instance; so does one whose start was canceled.
    const rival = await addMachine(mallory, aws, "rival-of-ann", instance);
    expect(await exchangeAws(instance)).toMatchObject({ status: 409 });
    expect(await exchangeAws(instance, "main")).toMatchObject({ status: 409 });
    await cancel(mallory, rival, "start");
    expect(await exchangeAws(instance, "main")).toMatchObject({ status: 409 });
    await copyWorkspace(server.db, rival.id, 250);
    expect(await exchangeAws(instance)).toMatchObject({ status: 409 });
  });

  it("changes nothing", async () => {
    await addMachine(ann, aws, "unchanged", "i-still");
    const read = () =>
      server.db
        .selectFrom("workspace_agents")
        .where("auth_instance_id", "=", "i-still")
        .selectAll()
        .execute();
    const before = await read();
    await exchangeAws("i-still");
    expect(await read()).toEqual(before);
  });
});

it("gives a machine of a pool the same token before and after the claim", async () => {
  const presets =
    "presets: { ready: { parameters: { instance: i-pool }, prebuilds: { instances: 1 } } }";
  const text = machineTemplate("aws-instance-identity", ["main", "second"], presets);
  const pool = await pushPoolOf(server, "pool", text);
  const [filled] = await fillPool(server, 1, opened);
  const [agent] = filled?.agents ?? [];
  if (filled === undefined || agent === undefined) throw new Error("the pool is empty");
  const token = { status: 200, body: { session_token: agent.token } };
  expect(await exchangeAws("i-pool", "main")).toMatchObject(token);
  const stream = opened.use(await openReinit(server.url, agent));
  const claimed = await claim(ann, "claimed", pool);
  const { id, owner_id: owner } = claimed;
  expect(id).toBe(filled.workspace.id);
  expect(await stream.rest()).toContain(
    `data: {"workspace_id":"${id}","reason":"prebuild_claimed","owner_id":"${owner}"}`,
  );
  expect(await exchangeAws("i-pool", "main")).toMatchObject(token);
  // The pool is refilled with a workspace that also names the instance, and waits for it.
  const [next] = await waitForPrebuilds(server, 1);
  if (next === undefined) throw new Error("the pool is empty");
  expect(next.id).not.toBe(id);
  expect(await exchangeAws("i-pool", "main")).toMatchObject(token);
  // A workspace outside the pool cannot take the instance, not even from the waiting one.
  const rival = await addMachine(ann, aws, "rival", "i-pool");
  expect(await exchangeAws("i-pool", "main")).toMatchObject({ status: 409 });
  await build(ann, claimed, "delete");
  expect(await exchangeAws("i-pool", "main")).toMatchObject({ status: 409 });
  await build(ann, rival, "delete");
  expect((await listPrebuilds(server.admin)).map((one) => one.id)).toContain(next.id);
  expect(await exchangeAws("i-pool", "main")).toMatchObject(
    await granted(server.admin, next, "main"),
  );
});

describe("the command that starts an agent", () => {
  it("names how it is known, and holds no token", async () => {
    const workspace = await addMachine(ann, azure, "commanded", "vm-1");
    const { command, agent_token: token } = await readCredentials(ann, workspace);
    expect(command).toBe(
      `CODER_AGENT_URL=${server.url} CODER_AGENT_AUTH=azure-instance-identity slipway agent`,
    );
    expect(token).toMatch(/^[0-9a-f-]{36}$/);
  });

  it("names the agent where several run on the machine", async () => {
    const text = machineTemplate("google-instance-identity", ["one", "two"]);
    const id = await pushTemplate(server.admin, "commands", `${text}  three: {}\n`);
    const workspace = await addMachine(ann, id, "commands", "vm-2");
    const { command } = await readCredentials(ann, workspace, "two");
    expect(command).toBe(
      `CODER_AGENT_URL=${server.url} CODER_AGENT_AUTH=google-instance-identity CODER_AGENT_NAME=two slipway agent`,
    );
    const plain = await readCredentials(ann, workspace, "three");
    expect(plain.command).toBe(
      `CODER_AGENT_URL=${server.url} CODER_AGENT_TOKEN=${plain.agent_token} slipway agent`,
    );
  });
});
