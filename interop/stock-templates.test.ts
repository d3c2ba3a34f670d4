import { randomUUID } from "node:crypto";
import { chmod, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { getUser } from "@slipway/api/users/routes";
import { listOf, objectOf } from "@slipway/runtime";
import type { ApiClient } from "@slipway/sdk/http";
import {
  agentProgram,
  buildAgent,
  logInAsAdmin,
  openClient,
  packTemplate,
  startServerProcess,
} from "@slipway/testkit";
import { buildTerraform } from "@slipway/testkit/terraform";
import { afterAll, beforeAll, expect, it } from "vitest";

import { jsonDifferences } from "./support/json-differences.ts";
import { requireVariable } from "./support/require-variable.ts";
import { readTemplateLife, type TemplateLife } from "./support/template-life.ts";

/*
 * The templates of `coder-templates.test.ts` on our server and on a running stock one, and the JSON that both answer. The
 * environment names the stock server (SLIPWAY_STOCK_SERVER) and the session of one of its owners (SLIPWAY_STOCK_OWNER). It runs
 * on this machine as the same user, with `terraform` on its PATH, which may be OpenTofu and has to find the provider. Tested with v2.31.0.
 */

const templates = new URL("../packages/server/tests/terraform/templates/", import.meta.url);
const names = (await readdir(templates)).filter((name) => name !== "machine");

/** The differences that remain, by the paths of their fields. */
const remaining = [
  { path: /^form\.id$/, reason: "the stock server answers each evaluation with the id 0" },
  {
    path: /^form\.parameters\.\d+\.order$/,
    reason: "ours is the position in the form, where the stock server repeats the argument",
  },
  {
    path: /^presets\.\d+\.DesiredPrebuildInstances$/,
    reason: "a preset without a pool has none in ours, and a pool of 0 on the stock server",
  },
  { path: /\.api_version$/, reason: "the agent's API has grown since that release" },
  {
    path: /\.troubleshooting_url$/,
    reason: "the stock server refers to its own documentation by default",
  },
  {
    path: /^planned\.\d+\.agents\.\d+\.health\./,
    reason: "agents that have not connected are unhealthy since a later release",
  },
  { path: /\.scripts\.\d+\.(exit_code|status)$/, reason: "results of scripts are fields of ours" },
  {
    path: /\.scripts\.0\.(script|run_on_start)$/,
    template: "devcontainer",
    reason: "the stock server gives agents without dev containers a script that warns",
  },
  {
    path: /^(form\.parameters|values)\.\d+\./,
    template: "owner",
    reason: "the stock server's form leaves out the parameter that depends on another one",
  },
];
const seen = new Set<(typeof remaining)[number]>();

const opened = new AsyncDisposableStack();
let directory = "";
let ours: ApiClient;
let theirs: ApiClient;

beforeAll(async () => {
  await buildAgent();
  const { program, configFile } = await buildTerraform();
  directory = await mkdtemp(join(tmpdir(), "slipway-templates-"));
  opened.defer(() => rm(directory, { recursive: true, force: true, maxRetries: 10 }));
  // If the server is root, its database runs as another user.
  await chmod(directory, 0o711);
  const server = opened.use(
    await startServerProcess({
      dataDir: join(directory, "data"),
      port: 0,
      environment: {
        SLIPWAY_TERRAFORM: program,
        SLIPWAY_TERRAFORM_CONFIG: configFile,
        SLIPWAY_TERRAFORM_USERS: "server",
      },
    }),
  );
  ours = await logInAsAdmin(server.url);
  const token = requireVariable("SLIPWAY_STOCK_OWNER");
  theirs = openClient(requireVariable("SLIPWAY_STOCK_SERVER"), token);
});
afterAll(() => opened.disposeAsync());

/** Packs a template; its machine finds the agent by paths, because the stock server has no variables for them. */
async function packOf(name: string): Promise<Uint8Array> {
  const read = (file: string): Promise<string> => readFile(new URL(file, templates), "utf8");
  const machine = (await read("machine/main.tf"))
    .replace('"$AGENT_NODE"', `"${process.execPath}"`)
    .replace('"$AGENT_PROGRAM"', `"${agentProgram}"`);
  const text = (await read(`${name}/main.tf`))
    .replaceAll("RUNS", directory)
    // A stock server without a license has no provisioners with other tags.
    .replace('zone = "home"', 'scope = "organization"');
  return packTemplate(text, "main.tf", { "machine/main.tf": machine });
}

/** Returns what both servers should answer alike: without ids, times, measures, and what names the server and its user. */
async function comparable(client: ApiClient, life: TemplateLife): Promise<unknown> {
  const { username, email } = await client.call(getUser, { params: { user: "me" } });
  const text = JSON.stringify(life)
    .replaceAll(client.serverUrl, "<server>")
    .replaceAll(JSON.stringify(username), '"<username>"')
    .replaceAll(JSON.stringify(email), '"<email>"')
    .replaceAll(/[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}/g, "<id>")
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "<time>");
  return JSON.parse(text, (key, value) => {
    if (measures.has(key)) return undefined;
    return Array.isArray(value) ? ordered(key, value) : value;
  });
}

const measures: ReadonlySet<string> = new Set(["latency", "logs_length"]);

/** Lists that have no order on a stock server. */
const unordered: ReadonlySet<string> = new Set(
  "planned started stopped agents scripts log_sources values".split(" "),
);

function ordered(key: string, list: readonly unknown[]): readonly unknown[] {
  if (!unordered.has(key)) return list;
  // A stock server also plans the stop of a template's workspace.
  const planned = list.filter(
    (one) => key !== "planned" || !JSON.stringify(one).includes('"workspace_transition":"stop"'),
  );
  return planned.toSorted((one, other) => (sortKey(one) < sortKey(other) ? -1 : 1));
}

function sortKey(value: unknown): string {
  const { type, name, display_name: displayName, agents } = objectOf(value);
  const agentNames = listOf(agents).map((agent) => objectOf(agent)["name"]);
  return JSON.stringify([type, name, displayName, agentNames]);
}

it.each(names)("a server answers the same about the template %s", async (name) => {
  const subject = {
    name: `${name}-${randomUUID().slice(0, 8)}`,
    archive: await packOf(name),
    // No prebuild has it.
    values: name === "pool" ? [{ name: "size", value: "3" }] : [],
  };
  const [our, their] = await Promise.all(
    [ours, theirs].map(async (client) =>
      comparable(client, await readTemplateLife(client, subject)),
    ),
  );
  const unexplained = jsonDifferences(our, their).filter(({ path }) => {
    const row = remaining.find((one) => one.path.test(path) && (one.template ?? name) === name);
    if (row !== undefined) seen.add(row);
    return row === undefined;
  });
  expect(unexplained).toEqual([]);
  const some = expect.arrayContaining([expect.anything()]);
  expect(their).toMatchObject({ planned: some, started: some, agents: some });
});

it("lists only differences that remain", () => {
  expect(remaining.filter((row) => !seen.has(row)).map(({ path }) => path)).toEqual([]);
});
