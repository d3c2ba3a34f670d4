import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

import { cancelBuild, getBuildLogs, getBuildTimings } from "@slipway/api/builds/routes";
import { listTemplateVersionParameters } from "@slipway/api/templates/parameter-routes";
import { createTemplate } from "@slipway/api/templates/routes";
import {
  listTemplateVersionPresets,
  listTemplateVersionResources,
} from "@slipway/api/templates/version-routes";
import { createBuild } from "@slipway/api/workspaces/build-routes";
import { createWorkspace, getWorkspace } from "@slipway/api/workspaces/routes";
import type { Workspace } from "@slipway/api/workspaces/workspace";
import {
  agentProgram,
  firstAgent,
  isAlive,
  makeWorkspace,
  pushVersion,
  requireAgent,
  waitForWorkspace,
} from "@slipway/testkit";
import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { openMachines } from "../support/machine-processes.ts";
import type { OpenServer } from "../support/open-server.ts";
import { waitForPrebuilds } from "../support/pool.ts";
import { openTerraformServer } from "../support/terraform-server.ts";

/* Workspaces whose agents are processes that a configuration starts on this machine, as it would start virtual machines. */

const opened = new AsyncDisposableStack();
let server: OpenServer;
let runs = "";

const head = `
terraform {
  required_providers {
    coder = { source = "coder/coder" }
  }
}
data "coder_workspace" "me" {}
data "coder_workspace_owner" "me" {}
`;

/** A machine is a directory and an agent in a session of its own, which ends with the machine. */
const machine = (replacedBy: string): string => `${head}
data "coder_parameter" "size" {
  name      = "size"
  type      = "number"
  form_type = "slider"
  default   = 2
  mutable   = true
  styling   = jsonencode({ label = "GB" })
  validation {
    min = 1
    max = 8
  }
}
data "coder_workspace_preset" "big" {
  name       = "big"
  parameters = { size = "8" }
  prebuilds {
    instances = POOL
  }
}
resource "coder_agent" "main" {
  os             = "linux"
  arch           = "amd64"
  startup_script = "echo $CODER_WORKSPACE_OWNER_NAME >> lines"
}
resource "coder_app" "web" {
  agent_id = coder_agent.main.id
  slug     = "web"
  url      = "http://localhost:8000"
}
resource "terraform_data" "machine" {
  count            = data.coder_workspace.me.start_count
  input            = "RUNS/\${data.coder_workspace.me.id}"
  triggers_replace = [${replacedBy}]
  provisioner "local-exec" {
    environment = { CODER_AGENT_TOKEN = coder_agent.main.token, DIR = self.input, URL = data.coder_workspace.me.access_url }
    command     = <<-EOT
      mkdir -p "$DIR" && cd "$DIR"
      export HOME="$DIR" CODER_AGENT_URL="$URL" CODER_AGENT_SOCKET_SERVER_ENABLED=false CODER_AGENT_PPROF_ADDRESS= CODER_AGENT_PROMETHEUS_ADDRESS= CODER_AGENT_DEBUG_ADDRESS=
      setsid "$AGENT_NODE" "$AGENT_PROGRAM" >agent.log 2>&1 </dev/null & echo $! >pid
    EOT
  }
  provisioner "local-exec" {
    when    = destroy
    command = "kill $(cat \${self.input}/pid) || true"
  }
}
resource "coder_metadata" "machine" {
  count       = data.coder_workspace.me.start_count
  resource_id = terraform_data.machine[0].id
  icon        = "/icon/desktop.svg"
  daily_cost  = 5
  item {
    key   = "size"
    value = data.coder_parameter.size.value
  }
}
`;

beforeAll(async () => {
  runs = opened.use(await openMachines()).directory;
  server = opened.use(
    await openTerraformServer({
      SLIPWAY_TERRAFORM_ENV: "AGENT_NODE,AGENT_PROGRAM",
      AGENT_NODE: process.execPath,
      AGENT_PROGRAM: agentProgram,
    }),
  );
}, 1_200_000);
afterAll(() => opened.disposeAsync());

interface Pushed {
  readonly versionId: string;
  readonly templateId: string;
}

async function push(name: string, text: string, instances = 0): Promise<Pushed> {
  const configuration = text.replaceAll("RUNS", runs).replaceAll("POOL", String(instances));
  const versionId = await pushVersion(server.admin, configuration, { file: "main.tf" });
  const body = { name, template_version_id: versionId };
  const params = { organization: "default" };
  return { versionId, templateId: (await server.admin.call(createTemplate, { params, body })).id };
}

async function build(
  { id }: Pick<Workspace, "id">,
  transition: "start" | "stop" | "delete",
): Promise<Workspace> {
  await server.admin.call(createBuild, { params: { workspace: id }, body: { transition } });
  const wanted = { start: "running", stop: "stopped", delete: "deleted" }[transition];
  const read = (): Promise<Workspace> => {
    const query = { include_deleted: "true" };
    return server.admin.call(getWorkspace, { params: { workspace: id }, query });
  };
  await expect.poll(async () => (await read()).latest_build.status, patience).toBe(wanted);
  return read();
}

const patience = { timeout: 60_000, interval: 100 };

async function logOf({ latest_build: { id } }: Workspace): Promise<string> {
  const lines = await server.admin.call(getBuildLogs, { params: { build: id }, query: {} });
  return lines.map(({ output }) => output).join("\n");
}

/** Reads the stages of the newest build, which must be steps of the machine's creation too. */
async function stagesOf({ latest_build: { id } }: Workspace): Promise<readonly string[]> {
  const timings = await server.admin.call(getBuildTimings, { params: { build: id } });
  const { provisioner_timings: found } = timings;
  const machineSteps = found.filter(
    ({ stage, resource }) => stage === "apply" && resource === "terraform_data.machine[0]",
  );
  expect(machineSteps.map(({ action }) => action).toSorted()).toEqual(["create", "provision"]);
  const stages = found.filter(({ resource }) => resource.startsWith("coder_stage_"));
  const apply = stages.find(({ stage }) => stage === "apply");
  for (const { started_at, ended_at } of machineSteps) {
    expect(Date.parse(started_at)).toBeGreaterThanOrEqual(Date.parse(apply?.started_at ?? ""));
    expect(Date.parse(ended_at)).toBeLessThanOrEqual(Date.parse(apply?.ended_at ?? ""));
  }
  return stages.map(({ stage }) => stage);
}

function isReady({ lifecycle_state: state }: { readonly lifecycle_state: string }): boolean {
  return state === "ready";
}

const lines = async ({ id }: Workspace): Promise<string> =>
  readFile(join(runs, id, "lines"), "utf8");
const pid = async ({ id }: Workspace): Promise<string> => readFile(join(runs, id, "pid"), "utf8");

describe("a configuration", () => {
  it("is read at its push: parameters, presets and the plan of its resources", async () => {
    const { versionId: version } = await push("read", machine("coder_agent.main.token"));
    const params = { version };
    expect(await server.admin.call(listTemplateVersionParameters, { params })).toMatchObject([
      { name: "size", type: "number", form_type: "slider", default_value: "2", validation_max: 8 },
    ]);
    expect(await server.admin.call(listTemplateVersionPresets, { params })).toMatchObject([
      { Name: "big", Parameters: [{ Name: "size", Value: "8" }], DesiredPrebuildInstances: 0 },
    ]);
    const plan = await server.admin.call(listTemplateVersionResources, { params });
    expect(plan).toMatchObject([
      {
        type: "terraform_data",
        name: "machine",
        icon: "/icon/desktop.svg",
        daily_cost: 5,
        metadata: [{ key: "size", value: "2" }],
        agents: [{ name: "main", apps: [{ slug: "web" }] }],
      },
    ]);
  });

  it.each([
    ["a syntax error", "resource {", /main\.tf:1/],
    [
      "an unknown argument",
      `${head}resource "coder_agent" "main" { oss = "linux" }`,
      /main\.tf:\d+/,
    ],
    [
      "a provider that does not exist",
      `terraform {
      required_providers { x = { source = "nobody/nothing" } }
    }`,
      /nobody\/nothing/,
    ],
    [
      "a name that no host has",
      `${head}resource "coder_agent" "my_box" {
      os = "linux"
      arch = "amd64"
    }`,
      /coder_agent\.my_box: found the agent name/,
    ],
  ])("is refused for %s", async (_case, text, message) => {
    await expect(pushVersion(server.admin, text, { file: "main.tf" })).rejects.toThrow(message);
  });
});

describe("a workspace", () => {
  it("starts, stops, starts again and is deleted, with a machine each time", async () => {
    const { templateId } = await push("life", machine("coder_agent.main.token"));
    const started = await makeWorkspace(server.admin, "life", templateId, isReady);
    const [resource] = started.latest_build.resources;
    expect(resource).toMatchObject({
      type: "terraform_data",
      daily_cost: 5,
      metadata: [{ key: "size", value: "2", sensitive: false }],
    });
    expect(await logOf(started)).toMatch(
      /terraform_data\.machine\[0\]: Creation complete after \d+s/,
    );
    expect(await stagesOf(started)).toEqual(["init", "plan", "apply"]);
    const metrics = await (await fetch(`${server.url}/metrics`)).text();
    const count = "slipway_job_stage_duration_seconds_count";
    for (const [type, stage] of [
      ["template_version_import", "graph"],
      ["workspace_build", "apply"],
    ]) {
      expect(metrics).toContain(`${count}{type="${type}",stage="${stage}",outcome="succeeded"}`);
    }
    const firstPid = await pid(started);
    const stopped = await build(started, "stop");
    expect(firstAgent(stopped)).toBeUndefined();
    await build(stopped, "start");
    await waitForWorkspace(server.admin, started.id, (one) => isReady(requireAgent(one)));
    expect(await pid(started)).not.toBe(firstPid);
    expect(await lines(started)).toBe("admin\nadmin\n");
    await build(started, "delete");
    await expect.poll(() => isAlive(Number(firstPid)), patience).toBe(false);
  });

  it("keeps its agent in a build that leaves the machine alone", async () => {
    const { templateId } = await push("again", machine('""'));
    const started = await makeWorkspace(server.admin, "again", templateId, isReady);
    const firstPid = await pid(started);
    await build(started, "start");
    await waitForWorkspace(
      server.admin,
      started.id,
      (one) => requireAgent(one).status === "connected",
    );
    expect(await pid(started)).toBe(firstPid);
    await build(started, "delete");
  });

  it("has its state encrypted in the database", async () => {
    const { templateId } = await push("secret", machine("coder_agent.main.token"));
    const started = await makeWorkspace(server.admin, "secret", templateId, isReady);
    const { rows } = await sql<{ plain: Buffer | null; sealed: Buffer }>`
      select driver_state as plain, driver_state_encrypted as sealed from workspace_builds
        where workspace_id = ${started.id}`.execute(server.db);
    expect(rows[0]?.plain).toBeNull();
    expect(rows[0]?.sealed.includes("lineage")).toBe(false);
    await build(started, "delete");
  });
});

describe("a build that fails", () => {
  const failing = `${head}
resource "coder_agent" "main" {
  os   = "linux"
  arch = "amd64"
}
resource "terraform_data" "first" {
  input = "RUNS/\${data.coder_workspace.me.id}"
  provisioner "local-exec" {
    command = "mkdir \${self.input}"
  }
  provisioner "local-exec" {
    when    = destroy
    command = "rmdir \${self.input}"
  }
}
resource "terraform_data" "second" {
  input = [terraform_data.first.output, coder_agent.main.token]
  provisioner "local-exec" {
    command = "test -e RUNS/permitted"
  }
}`;

  it("keeps what it created, so that a deletion removes it", async () => {
    const { templateId } = await push("failing", failing);
    const body = { name: "failing", template_id: templateId };
    const { id } = await server.admin.call(createWorkspace, { params: { user: "me" }, body });
    await expect(waitForWorkspace(server.admin, id, () => false)).rejects.toThrow(
      /terraform_data\.second: local-exec provisioner error/,
    );
    expect(await readdir(runs)).toContain(id);
    const workspace = await server.admin.call(getWorkspace, { params: { workspace: id } });
    await build(workspace, "delete");
    expect(await readdir(runs)).not.toContain(id);
  });

  it("is interrupted with its commands when it is canceled, and what it created is kept", async () => {
    const waiting = "sleep 1000 & echo $! >RUNS/waiting; wait";
    const text = failing.replace("test -e RUNS/permitted", () => waiting);
    const { templateId } = await push("waiting", text);
    const body = { name: "waiting", template_id: templateId };
    const { id, latest_build: first } = await server.admin.call(createWorkspace, {
      params: { user: "me" },
      body,
    });
    await expect.poll(() => readdir(runs), patience).toContain("waiting");
    await server.admin.call(cancelBuild, { params: { build: first.id }, query: {} });
    await waitForWorkspace(server.admin, id, (one) => one.latest_build.status === "canceled");
    expect(await readdir(runs)).toContain(id);
    const command = await readFile(join(runs, "waiting"), "utf8");
    await expect.poll(() => isAlive(Number(command)), patience).toBe(false);
    const workspace = await server.admin.call(getWorkspace, { params: { workspace: id } });
    await build(workspace, "delete");
    expect(await readdir(runs)).not.toContain(id);
  });
});

describe("a prebuild", () => {
  it("goes to its owner with its process, which runs its scripts once more", async () => {
    const { templateId } = await push("pool", machine("coder_agent.main.token"), 1);
    const [prebuild] = await waitForPrebuilds(server, 1);
    if (prebuild === undefined) throw new Error("there is no prebuild");
    await waitForWorkspace(server.admin, prebuild.id, (one) => isReady(requireAgent(one)));
    const firstPid = await pid(prebuild);
    const body = {
      name: "claimed",
      template_id: templateId,
      rich_parameter_values: [{ name: "size", value: "8" }],
      require_prebuild: true,
    };
    const { id } = await server.admin.call(createWorkspace, { params: { user: "me" }, body });
    expect(id).toBe(prebuild.id);
    const claimed = await waitForWorkspace(
      server.admin,
      id,
      (one) => one.latest_build.status === "running" && isReady(requireAgent(one)),
    );
    expect(claimed).toMatchObject({ owner_name: "admin", latest_build: { build_number: 2 } });
    expect(await pid(claimed)).toBe(firstPid);
    await expect.poll(() => lines(claimed), patience).toBe("prebuilds\nadmin\n");
    await build(claimed, "delete");
  });
});
