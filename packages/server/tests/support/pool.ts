import { setTimeout as pause } from "node:timers/promises";

import { getTemplate } from "@slipway/api/templates/routes";
import type { Template } from "@slipway/api/templates/template";
import { listTemplateVersionPresets } from "@slipway/api/templates/version-routes";
import { createWorkspace, listWorkspaces } from "@slipway/api/workspaces/routes";
import type { Workspace } from "@slipway/api/workspaces/workspace";
import { connectExternalAgent, type ExternalAgent, pushTemplate } from "@slipway/testkit";
import { Agent, Lifecycle_State } from "@slipway/wire/protobuf/gen/agent_pb";
import { timestampFromMs } from "@slipway/wire/protobuf/time";

import type { OpenServer } from "./open-server.ts";
import type { Client } from "./people.ts";

/** A template with a pool whose agents the test plays. */
export interface TestPool {
  readonly template: Template;
  readonly presetId: string;
}

/** A template with two agents, one of which names a value from its owner. */
const template = (driver: string, instances: number): string => `
driver: ${driver}
parameters:
  color: { type: string, default: none, mutable: true }
  size: { type: string, default: small, mutable: false }
presets:
  ready:
    parameters: { color: blue }
    prebuilds: { instances: ${instances} }
agents:
  main:
    os: linux
    arch: amd64
    env: { OWNER: "\${{ owner.username }}", COLOR: "\${{ parameters.color }}", SIZE: "\${{ parameters.size }}" }
    scripts:
      hello: { run_on: [start], run: "echo \${{ workspace.name }}" }
  second: { os: linux, arch: amd64 }
`;

export async function pushPool(
  server: OpenServer,
  instances: number,
  { driver = "external", name = "pool" }: { readonly driver?: string; readonly name?: string } = {},
): Promise<TestPool> {
  return pushPoolOf(server, name, template(driver, instances));
}

/** Pushes a template whose only preset has a pool. */
export async function pushPoolOf(
  server: OpenServer,
  name: string,
  yaml: string,
): Promise<TestPool> {
  const id = await pushTemplate(server.admin, name, yaml);
  const pushed = await server.admin.call(getTemplate, { params: { template: id } });
  const params = { version: pushed.active_version_id };
  const [preset] = await server.admin.call(listTemplateVersionPresets, { params });
  if (preset === undefined) throw new Error("the template has no preset");
  return { template: pushed, presetId: preset.ID };
}

/** Lists the waiting workspaces, oldest first. */
export async function listPrebuilds(client: Client): Promise<readonly Workspace[]> {
  const { workspaces } = await client.call(listWorkspaces, { query: { q: "owner:prebuilds" } });
  return workspaces.toSorted((a, b) => a.created_at.localeCompare(b.created_at));
}

/** Waits until this number of workspaces of the pool are running. */
export async function waitForPrebuilds(
  server: OpenServer,
  count: number,
): Promise<readonly Workspace[]> {
  for (;;) {
    const all = await listPrebuilds(server.admin);
    const running = all.filter(({ latest_build: build }) => build.status === "running");
    if (running.length === count) return running.toSorted(byAge);
    await pause(50);
  }
}

/** Compares in the order in which claims choose them. */
function byAge(one: Workspace, other: Workspace): number {
  const [first, second] = [one, other].map(({ created_at: at, name }) => `${at} ${name}`);
  return (first ?? "") < (second ?? "") ? -1 : 1;
}

/** Connects an agent of a workspace by its name. The caller closes the connection. */
export type ConnectAgent = (workspaceId: string, name: string) => Promise<ExternalAgent>;

/** Connects both agents of a workspace. The caller closes the connections. */
export async function connectAgents(
  server: OpenServer,
  workspaceId: string,
  connect: ConnectAgent = (id, name) => connectExternalAgent(server.admin, id, name),
): Promise<readonly [ExternalAgent, ExternalAgent]> {
  return Promise.all([connect(workspaceId, "main"), connect(workspaceId, "second")]);
}

/** Reports as an agent whose start scripts have run, on a machine whose clock may be wrong. */
export async function becomeReady(agent: ExternalAgent, clockAheadMs = 0): Promise<void> {
  for (const state of [Lifecycle_State.STARTING, Lifecycle_State.READY]) {
    await report(agent, state, Date.now() + clockAheadMs);
  }
}

/** Reports the state of an agent. */
export async function report(
  { connection }: ExternalAgent,
  state: Lifecycle_State,
  changedAtMs = Date.now(),
): Promise<void> {
  const lifecycle = { state, changedAt: timestampFromMs(changedAtMs) };
  const signal = AbortSignal.timeout(10_000);
  await connection.unary(Agent.method.updateLifecycle, { lifecycle }, signal);
}

/** Marks successful builds as failed. */
export async function failBuilds(
  { db }: OpenServer,
  workspaces: readonly Workspace[],
): Promise<void> {
  const ids = workspaces.map(({ latest_build }) => latest_build.job.id);
  await db.updateTable("jobs").set({ error: "broken" }).where("id", "in", ids).execute();
}

/**
 * Fills a pool with claimable prebuilds, oldest first; their agents' connections are closed with `opened`. The pool may
 * have more than `instances`.
 */
export async function fillPool(
  server: OpenServer,
  count: number,
  opened: AsyncDisposableStack,
  {
    instances = count,
    connect,
  }: { readonly instances?: number; readonly connect?: ConnectAgent } = {},
): Promise<
  readonly { readonly workspace: Workspace; readonly agents: readonly ExternalAgent[] }[]
> {
  const waiting = await waitForPrebuilds(server, instances);
  return Promise.all(
    waiting.slice(0, count).map(async (workspace) => {
      const agents = await connectAgents(server, workspace.id, connect);
      for (const agent of agents) {
        opened.defer(() => agent.connection.close());
        await becomeReady(agent);
      }
      return { workspace, agents };
    }),
  );
}

/** Requests a workspace of the pool's preset. */
export function claim(
  client: Client,
  name: string,
  { template: { id }, presetId }: TestPool,
  parameters: readonly { readonly name: string; readonly value: string }[] = [],
): Promise<Workspace> {
  return client.call(createWorkspace, {
    params: { user: "me" },
    body: {
      name,
      template_id: id,
      template_version_preset_id: presetId,
      rich_parameter_values: [...parameters],
    },
  });
}
