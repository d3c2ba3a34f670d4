import { randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";

import { ApiClient } from "@slipway/sdk/http";

import type { FleetAgent } from "./external-fleet.ts";
import { makeMany } from "./pacing.ts";

/**
 * A stock server that is measured next to ours. It is already running, without rate limits; the environment names it:
 *
 *   SLIPWAY_STOCK_URL          its address; without it there is none
 *   SLIPWAY_STOCK_TOKEN        a session token of an owner
 *   SLIPWAY_STOCK_PID          its process, to measure its cost
 *   SLIPWAY_STOCK_TEMPLATE     the name of the template for workspaces
 *   SLIPWAY_STOCK_AGENT_TOKEN  the token of its agent, as written in the template's archive
 */
export interface StockServer {
  readonly client: ApiClient;
  readonly pid: number | undefined;
  /** Creates running workspaces of the template. All agents have the same token, so only one can connect. */
  readonly makeWorkspaces: (count: number) => Promise<void>;
  /** Creates running workspaces, each of a version of the template with a different token. */
  readonly makeAgents: (count: number) => Promise<readonly FleetAgent[]>;
}

/** Finds the server that the environment names. Throws when a part of its description is missing. */
export function findStockServer(): StockServer | undefined {
  const url = process.env["SLIPWAY_STOCK_URL"];
  if (url === undefined) return undefined;
  const client = new ApiClient({ serverUrl: url, token: wanted("SLIPWAY_STOCK_TOKEN") });
  const pid = process.env["SLIPWAY_STOCK_PID"];
  return {
    client,
    pid: pid === undefined ? undefined : Number(pid),
    makeWorkspaces: async (count) => {
      const { versionId } = await findTemplate(client);
      await makeMany(count, () => makeWorkspace(client, versionId));
    },
    makeAgents: async (count) => {
      const template = await findTemplate(client);
      return makeMany(count, () => makeAgent(client, template));
    },
  };
}

function wanted(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set, wanted with SLIPWAY_STOCK_URL`);
  return value;
}

interface StockTemplate {
  readonly id: string;
  readonly organizationId: string;
  readonly versionId: string;
}

interface Job {
  readonly status: string;
  readonly error?: string;
  readonly file_id: string;
}

interface Build {
  readonly id: string;
  readonly job: Job;
  readonly resources: readonly { readonly agents?: readonly { readonly id: string }[] }[];
}

async function findTemplate(client: ApiClient): Promise<StockTemplate> {
  const name = wanted("SLIPWAY_STOCK_TEMPLATE");
  const path = `/organizations/default/templates/${name}`;
  const template = await get<{ id: string; organization_id: string; active_version_id: string }>(
    client,
    path,
  );
  return {
    id: template.id,
    organizationId: template.organization_id,
    versionId: template.active_version_id,
  };
}

async function makeAgent(client: ApiClient, template: StockTemplate): Promise<FleetAgent> {
  const token = randomUUID();
  const versionId = await pushVersion(client, template, token);
  const { workspaceId, build } = await makeWorkspace(client, versionId);
  const id = build.resources.flatMap(({ agents }) => agents ?? [])[0]?.id ?? "";
  return { id, workspaceId, token };
}

/** Pushes a version of the template that differs in its agent's token; the archive's other bytes stay in place. */
async function pushVersion(
  client: ApiClient,
  { id, organizationId, versionId }: StockTemplate,
  token: string,
): Promise<string> {
  const { job } = await get<{ job: Job }>(client, `/templateversions/${versionId}`);
  const archive = await send(client, `/files/${job.file_id}`, {});
  const text = Buffer.from(await archive.arrayBuffer()).toString("latin1");
  const changed = text.replaceAll(wanted("SLIPWAY_STOCK_AGENT_TOKEN"), token);
  if (changed === text) throw new Error("template archive does not contain the agent's token");
  const uploaded = await send(client, "/files", {
    method: "POST",
    headers: { "Content-Type": "application/x-tar" },
    body: Buffer.from(changed, "latin1"),
  });
  const { hash } = await bodyOf<{ hash: string }>(uploaded);
  const body = {
    template_id: id,
    storage_method: "file",
    file_id: hash,
    provisioner: "echo",
  };
  const path = `/organizations/${organizationId}/templateversions`;
  const version = await post<{ id: string }>(client, path, body);
  await waitForJob(client, `/templateversions/${version.id}`);
  return version.id;
}

async function makeWorkspace(
  client: ApiClient,
  versionId: string,
): Promise<{ workspaceId: string; build: Build }> {
  const body = { name: `b-${randomUUID().slice(0, 13)}`, template_version_id: versionId };
  const workspace = await post<{ id: string; latest_build: Build }>(
    client,
    "/users/me/workspaces",
    body,
  );
  const path = `/workspacebuilds/${workspace.latest_build.id}`;
  return { workspaceId: workspace.id, build: await waitForJob<Build>(client, path) };
}

const pollMs = 10;

async function waitForJob<T extends { readonly job: Job }>(
  client: ApiClient,
  path: string,
): Promise<T> {
  for (;;) {
    const found = await get<T>(client, path);
    const { status, error } = found.job;
    if (status === "succeeded") return found;
    if (status !== "pending" && status !== "running") {
      throw new Error(`${path} ${status}: ${error ?? ""}`);
    }
    await pause(pollMs);
  }
}

async function get<T>(client: ApiClient, path: string): Promise<T> {
  return bodyOf<T>(await send(client, path, {}));
}

async function post<T>(client: ApiClient, path: string, body: object): Promise<T> {
  return bodyOf<T>(await send(client, path, { method: "POST", body: JSON.stringify(body) }));
}

interface HttpRequest {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer<ArrayBuffer>;
}

async function send(client: ApiClient, path: string, sent: HttpRequest): Promise<Response> {
  const response = await fetch(`${client.serverUrl}/api/v2${path}`, {
    ...sent,
    headers: { ...client.headers, ...sent.headers },
  });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return response;
}

async function bodyOf<T>(response: Response): Promise<T> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- taken as the server's contract says
  return (await response.json()) as T;
}
