import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

import type { WorkspaceAgent } from "@slipway/api/agents/agent";
import { listTemplateVersionParameters } from "@slipway/api/templates/parameter-routes";
import { createTemplate } from "@slipway/api/templates/routes";
import { getTemplateVersionLogs, updateActiveVersion } from "@slipway/api/templates/version-routes";
import { createBuild } from "@slipway/api/workspaces/build-routes";
import { createWorkspace, getWorkspace } from "@slipway/api/workspaces/routes";
import type { Workspace } from "@slipway/api/workspaces/workspace";
import { agentProgram, pushVersion, waitForWorkspace } from "@slipway/testkit";
import { buildTerraform } from "@slipway/testkit/terraform";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";

import { openMachines } from "../support/machine-processes.ts";
import { openServer, type OpenServer } from "../support/open-server.ts";
import { waitForPrebuilds } from "../support/pool.ts";
import { makeKey, startProvisioner } from "../support/provisioner-process.ts";

/*
 * Templates as they are written for Coder, in `templates/`, from their push to the deletion of a workspace. The module `machine`
 * stands for the resource of a cloud: it runs the agent as a process on this machine.
 */

const templates = new URL("templates/", import.meta.url);
const opened = new AsyncDisposableStack();
let server: OpenServer;
let runs = "";
let machine = "";

beforeAll(async () => {
  const { program, configFile } = await buildTerraform();
  runs = opened.use(await openMachines()).directory;
  machine = await readFile(new URL("machine/main.tf", templates), "utf8");
  const environment = {
    SLIPWAY_TERRAFORM: program,
    SLIPWAY_TERRAFORM_CONFIG: configFile,
    SLIPWAY_TERRAFORM_USERS: "server",
    SLIPWAY_TERRAFORM_ENV: "AGENT_NODE,AGENT_PROGRAM",
    AGENT_NODE: process.execPath,
    AGENT_PROGRAM: agentProgram,
  };
  server = opened.use(await openServer(inject("postgresUrl"), environment));
  // The template `owner` has this tag.
  const key = await makeKey(server.admin, "home", { zone: "home" });
  const dataDir = join(runs, "provisioner");
  opened.use(startProvisioner({ url: server.url, key, dataDir, environment }));
}, 1_200_000);
afterAll(() => opened.disposeAsync());

interface Expected {
  /** The parameters as `name type form`, in their order. */
  readonly parameters?: readonly string[];
  /** The agents by their names, each with a part of its fields. */
  readonly agents: Readonly<Record<string, object>>;
  /** Parts of resources. */
  readonly resources?: readonly object[];
  /** The values of the preset whose prebuild is claimed; omitted for a template without a pool. */
  readonly claimed?: readonly { readonly name: string; readonly value: string }[];
  /** The state of agents once their scripts have ended (default: ready). */
  readonly lifecycle?: WorkspaceAgent["lifecycle_state"];
  /** Contents of files in the directory of the machine. */
  readonly files?: Readonly<Record<string, string>>;
}

const cases: Readonly<Record<string, Expected>> = {
  minimal: { agents: { main: {} } },
  parameters: {
    parameters: [
      "name string input",
      "notes string textarea",
      "region string radio",
      "editor string dropdown",
      "cpus number slider",
      "port number input",
      "debug bool switch",
      "agree bool checkbox",
      "tools list(string) multi-select",
      "labels list(string) tag-select",
      "reset bool checkbox",
    ],
    agents: { main: { environment_variables: { TOOLS: "git" } } },
  },
  pool: {
    parameters: ["size number input"],
    agents: { main: {} },
    claimed: [{ name: "size", value: "2" }],
  },
  scripts: {
    agents: {
      main: {
        environment_variables: { GREETING: "hello", SUBJECT: "world" },
        scripts: expect.arrayContaining([
          expect.objectContaining({
            display_name: "Prepare",
            run_on_start: true,
            start_blocks_login: true,
            timeout: 60_000_000_000,
          }),
          expect.objectContaining({ display_name: "Nightly", cron: "0 0 3 * * *" }),
          expect.objectContaining({ display_name: "Farewell", run_on_stop: true }),
        ]),
      },
    },
    files: { greeting: "hello world\n", order: "agent\n" },
  },
  apps: {
    agents: {
      main: {
        apps: [
          {
            slug: "site",
            display_name: "Site",
            icon: "/icon/code.svg",
            subdomain: true,
            sharing_level: "authenticated",
            group: "Web",
            open_in: "tab",
            healthcheck: { url: "http://localhost:8000/healthz", interval: 5, threshold: 6 },
          },
          { slug: "shell", command: "sh" },
          { slug: "docs", url: "https://example.com/docs", external: true },
          { slug: "inner", hidden: true, sharing_level: "public" },
        ],
      },
    },
  },
  metadata: {
    agents: {
      main: {
        connection_timeout_seconds: 120,
        troubleshooting_url: "https://example.com/help",
        display_apps: ["port_forwarding_helper", "web_terminal"],
      },
    },
    resources: [
      {
        type: "terraform_data",
        name: "process",
        icon: "/icon/memory.svg",
        daily_cost: 7,
        metadata: [
          { key: "kind", value: "process", sensitive: false },
          { key: "password", value: "hunter2", sensitive: true },
        ],
      },
      { name: "hidden", hide: true },
    ],
  },
  modules: {
    agents: {
      api: {
        apps: [{ slug: "api" }, { slug: "metrics" }],
        environment_variables: { PORTS: "8001,8002" },
      },
      spare: {},
    },
  },
  // Its folder does not exist, which only its script reports.
  devcontainer: {
    agents: { main: { scripts: [{ display_name: "Dev Container (project)", exit_code: 1 }] } },
    lifecycle: "start_error",
  },
  task: {
    parameters: ["AI Prompt string textarea"],
    agents: { main: { apps: [{ slug: "assistant" }] } },
  },
  owner: {
    parameters: ["detail string input", "extra bool checkbox"],
    agents: {
      main: {
        environment_variables: {
          EMAIL: "admin@localhost",
          LOGIN: "password",
          OWNER: "admin",
          ROLES: "owner,member,organization-member",
        },
      },
    },
  },
};

const patience = { timeout: 90_000, interval: 200 };

const agentsOf = ({ latest_build: { resources } }: Workspace): readonly WorkspaceAgent[] =>
  resources.flatMap(({ agents }) => agents);

async function push(name: string, note: string, templateId?: string): Promise<string> {
  const text = await readFile(new URL(`${name}/main.tf`, templates), "utf8");
  return pushVersion(server.admin, `${text.replaceAll("RUNS", runs)}\n# ${note}\n`, {
    file: "main.tf",
    more: { "machine/main.tf": machine },
    ...(templateId === undefined ? {} : { templateId }),
  });
}

async function build(
  { id }: Workspace,
  transition: "start" | "stop" | "delete",
  versionId?: string,
): Promise<void> {
  const version = versionId === undefined ? {} : { template_version_id: versionId };
  const body = { transition, ...version };
  await server.admin.call(createBuild, { params: { workspace: id }, body });
  const wanted = { start: "running", stop: "stopped", delete: "deleted" }[transition];
  const query = { include_deleted: "true" };
  const status = async (): Promise<string> =>
    (await server.admin.call(getWorkspace, { params: { workspace: id }, query })).latest_build
      .status;
  await expect.poll(status, patience).toBe(wanted);
}

/** Waits until all agents have run their scripts. */
function untilReady(
  { id }: Pick<Workspace, "id">,
  { lifecycle = "ready" }: Pick<Expected, "lifecycle">,
): Promise<Workspace> {
  return waitForWorkspace(
    server.admin,
    id,
    (one) =>
      one.latest_build.status === "running" &&
      agentsOf(one).every(({ lifecycle_state: state }) => state === lifecycle),
  );
}

describe("the template", () => {
  it("has a case for each directory", async () => {
    const names = (await readdir(templates)).filter((name) => name !== "machine");
    expect(names.toSorted()).toEqual(Object.keys(cases).toSorted());
  });

  it("is pushed with a note that other values decide about parameters", async () => {
    const params = { version: await push("owner", "noted") };
    const logs = await server.admin.call(getTemplateVersionLogs, { params, query: {} });
    expect(logs.map(({ output }) => output)).toContain(
      "some parameters depend on other values or on the owner: forms and builds read them from the configuration again",
    );
  });

  it("sends builds to provisioners with its tags, by the values of a workspace", async () => {
    const text = `
terraform {
  required_providers {
    coder = { source = "coder/coder" }
  }
}
data "coder_parameter" "place" {
  name    = "region"
  type    = "string"
  default = "eu"
  mutable = true
}
data "coder_workspace_tags" "place" {
  tags = {
    "region" = data.coder_parameter.place.value
    cloud    = lower("AWS")
  }
}
resource "coder_agent" "main" {
  os   = "linux"
  arch = "amd64"
}
`;
    const versionId = await pushVersion(server.admin, text, { file: "main.tf" });
    const { id: templateId } = await server.admin.call(createTemplate, {
      params: { organization: "default" },
      body: { name: "tagged", template_version_id: versionId },
    });
    const make = (name: string, values: readonly { name: string; value: string }[]) =>
      server.admin.call(createWorkspace, {
        params: { user: "me" },
        body: { name, template_id: templateId, rich_parameter_values: [...values] },
      });
    const chosen = await make("chosen", [{ name: "region", value: "us" }]);
    expect(chosen.latest_build).toMatchObject({
      job: { status: "pending", tags: { region: "us", cloud: "aws" } },
      matched_provisioners: { count: 0 },
    });
    const usual = await make("usual", []);
    expect(usual.latest_build.job.tags).toMatchObject({ region: "eu", cloud: "aws" });
  });

  it("is refused if a resource decides its tags", async () => {
    const text = `
terraform {
  required_providers {
    coder = { source = "coder/coder" }
  }
}
resource "terraform_data" "place" {}
data "coder_workspace_tags" "place" {
  tags = {
    zone  = "home"
    place = terraform_data.place.id
  }
}
`;
    await expect(pushVersion(server.admin, text, { file: "main.tf" })).rejects.toThrow(
      "data.coder_workspace_tags.place: its tags are known only after apply",
    );
  });

  it.each(Object.entries(cases))("%s runs unchanged", async (name, expected) => {
    const versionId = await push(name, "one");
    const params = { version: versionId };
    const parameters = await server.admin.call(listTemplateVersionParameters, { params });
    expect(
      parameters.map(
        ({ name: parameter, type, form_type: form }) => `${parameter} ${type} ${form}`,
      ),
    ).toEqual(expected.parameters ?? []);
    const { id: templateId } = await server.admin.call(createTemplate, {
      params: { organization: "default" },
      body: { name, template_version_id: versionId },
    });
    const { claimed } = expected;
    const [prebuild] = claimed ? await waitForPrebuilds(server, 1) : [];
    if (prebuild !== undefined) await untilReady(prebuild, expected);
    const created = await server.admin.call(createWorkspace, {
      params: { user: "me" },
      body: {
        name,
        template_id: templateId,
        ...(claimed ? { require_prebuild: true, rich_parameter_values: [...claimed] } : {}),
      },
    });
    expect(created.id).toBe(prebuild?.id ?? created.id);
    const started = await untilReady(created, expected);

    const agents = Object.fromEntries(agentsOf(started).map((agent) => [agent.name, agent]));
    expect(Object.keys(agents).toSorted()).toEqual(Object.keys(expected.agents).toSorted());
    expect(agents).toMatchObject(expected.agents);
    for (const part of expected.resources ?? []) {
      expect(started.latest_build.resources).toContainEqual(expect.objectContaining(part));
    }
    for (const [file, content] of Object.entries(expected.files ?? {})) {
      expect(await readFile(join(runs, started.id, file), "utf8")).toBe(content);
    }

    await build(started, "stop");
    const next = await push(name, "two", templateId);
    await server.admin.call(updateActiveVersion, {
      params: { template: templateId },
      body: { id: next },
    });
    await build(started, "start", next);
    const updated = await untilReady(started, expected);
    expect(updated.latest_build.template_version_id).toBe(next);
    await build(started, "delete");
  });
});
