import { setTimeout as pause } from "node:timers/promises";

import { getTemplate } from "@slipway/api/templates/routes";
import { listTemplateVersionPresets } from "@slipway/api/templates/version-routes";
import type { ApiClient } from "@slipway/sdk/http";
import { pushTemplate, readAgentToken } from "@slipway/testkit";

import type { MeasuredPostgres } from "./measured-postgres.ts";
import { makeMany } from "./pacing.ts";

/** A waiting prebuild and the token of its only agent. */
export interface WaitingPrebuild {
  readonly workspaceId: string;
  readonly token: string;
}

/** A preset whose pool is filled on request, not after each claim. */
export interface PrebuildPool {
  readonly templateId: string;
  readonly presetId: string;
  /** Fills the pool; resolves to the prebuilds created since the last call. */
  readonly fill: () => Promise<readonly WaitingPrebuild[]>;
  /** Waits until the agents of all its prebuilds are connected and ready. */
  readonly ready: () => Promise<void>;
}

const pollMs = 50;
const limitMs = 300_000;

function template(instances: number, startScript: string): string {
  return `
driver: external
presets:
  waiting: { prebuilds: { instances: ${instances} } }
agents:
  main:
    os: linux
    arch: amd64
    scripts:
      start: { run_on: [start], run: ${JSON.stringify(startScript)} }
`;
}

export interface PoolOptions {
  readonly name: string;
  readonly instances: number;
  readonly startScript: string;
}

/** Pushes a template of the driver `external` with a pool of this size, initially empty. */
export async function openPool(
  client: ApiClient,
  database: MeasuredPostgres,
  { name, instances, startScript }: PoolOptions,
): Promise<PrebuildPool> {
  await setPaused(database, true);
  const templateId = await pushTemplate(client, name, template(instances, startScript));
  const pushed = await client.call(getTemplate, { params: { template: templateId } });
  const params = { version: pushed.active_version_id };
  const [preset] = await client.call(listTemplateVersionPresets, { params });
  if (preset === undefined) throw new Error("template has no preset");
  const presetId = preset.ID;
  const known = new Set<string>();
  return {
    templateId,
    presetId,
    fill: async () => {
      await setPaused(database, false);
      const all = await untilThere(database, waiting, presetId, instances);
      await setPaused(database, true);
      const fresh = all.filter((id) => !known.has(id));
      for (const id of fresh) known.add(id);
      return makeMany(fresh.length, (index) => readPrebuild(client, fresh[index] ?? ""));
    },
    ready: async () => void (await untilThere(database, connected, presetId, instances)),
  };
}

async function readPrebuild(client: ApiClient, workspaceId: string): Promise<WaitingPrebuild> {
  const token = await readAgentToken(client, workspaceId);
  return { workspaceId, token };
}

const waiting = `select w.id from workspaces w
  join workspace_builds b on b.workspace_id = w.id join jobs j on j.id = b.job_id
  where w.prebuild_preset_id = $1 and not w.deleted and j.completed_at is not null`;
const connected = `${waiting} and exists (select from workspace_agents a
  where a.workspace_build_id = b.id and a.lifecycle_state = 'ready'
    and a.last_connected_at > now() - interval '20 s'
    and (a.disconnected_at is null or a.disconnected_at < a.last_connected_at))`;

async function untilThere(
  database: MeasuredPostgres,
  statement: string,
  presetId: string,
  count: number,
): Promise<readonly string[]> {
  const endsAt = performance.now() + limitMs;
  for (;;) {
    const rows = await database.query<{ readonly id: string }>(statement, [presetId]);
    if (rows.length >= count) return rows.map(({ id }) => id);
    if (performance.now() > endsAt)
      throw new Error(`pool has ${rows.length} usable prebuilds, wanted ${count}`);
    await pause(pollMs);
  }
}

/** Turns the filling of pools on or off; takes effect immediately. */
async function setPaused(database: MeasuredPostgres, isPaused: boolean): Promise<void> {
  const value = JSON.stringify({ reconciliation_paused: isPaused });
  await database.query(
    `insert into deployment (key, value) values ('prebuilds_settings', $1)
      on conflict (key) do update set value = excluded.value`,
    [value],
  );
  await database.query("select pg_notify('slipway', E'\\nprebuilds:*')");
}
