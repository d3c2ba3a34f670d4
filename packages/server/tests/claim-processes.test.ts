import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { updatePrebuildsSettings } from "@slipway/api/prebuilds/routes";
import { getWorkspace } from "@slipway/api/workspaces/routes";
import type { Workspace } from "@slipway/api/workspaces/workspace";
import { requireAgent, waitForWorkspace } from "@slipway/testkit";
import { afterEach, beforeEach, expect, inject, it } from "vitest";

import { openServer, type OpenServer } from "./support/open-server.ts";
import { addPerson, type Client } from "./support/people.ts";
import { claim, pushPoolOf, waitForPrebuilds } from "./support/pool.ts";

/*
 * Processes of a prebuild must not continue with the new owner's rights: the agent ends them, or the claim restarts
 * everything.
 */

let opened: AsyncDisposableStack;
let server: OpenServer;
let ann: Client;

beforeEach(async () => {
  opened = new AsyncDisposableStack();
  server = opened.use(await openServer(inject("postgresUrl")));
  ({ client: ann } = await addPerson(server, "ann"));
});

afterEach(() => opened.disposeAsync());

/** Leaves a daemon that has left its group and its parent, and records its pid and token under the owner's name. */
const template = (onClaim: string): string => `
driver: process
${onClaim}
presets:
  ready:
    prebuilds: { instances: 1 }
agents:
  main:
    os: linux
    arch: amd64
    directory: "~"
    scripts:
      daemon:
        run_on: [start]
        run: |
          setsid sh -c 'sleep 600 >/dev/null 2>&1 & echo $! > ~/\${{ owner.username }}.pid'
          echo "$CODER_AGENT_TOKEN" > ~/\${{ owner.username }}.token
`;

interface ClaimedBox {
  readonly workspace: Workspace;
  /** Reads a file in its home. */
  readonly read: (name: string) => Promise<string>;
}

async function claimBox(onClaim: string): Promise<ClaimedBox> {
  const pool = await pushPoolOf(server, "pool", template(onClaim));
  const isReady = (workspace: Workspace) =>
    workspace.latest_build.resources.length > 0 &&
    requireAgent(workspace).lifecycle_state === "ready";
  const [waiting] = await waitForPrebuilds(server, 1);
  const prebuild = await waitForWorkspace(server.admin, waiting?.id ?? "", isReady);
  await server.admin.call(updatePrebuildsSettings, { body: { reconciliation_paused: true } });
  const { directory } = await readState(prebuild.id);
  const read = async (name: string) =>
    (await readFile(join(directory, "home", name), "utf8")).trim();
  expect(isAlive(Number(await read("prebuilds.pid")))).toBe(true);
  const { id } = await claim(ann, "mine", pool);
  expect(id).toBe(prebuild.id);
  const workspace = await waitForWorkspace(
    ann,
    id,
    (one) => one.latest_build.job.status === "succeeded" && isReady(one),
  );
  return { workspace, read };
}

/** Reads the driver's record of a workspace. */
async function readState(workspaceId: string): Promise<{ readonly directory: string }> {
  const { driver_state: state } = await server.db
    .selectFrom("workspace_builds")
    .where("workspace_id", "=", workspaceId)
    .select("driver_state")
    .executeTakeFirstOrThrow();
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the driver writes it
  return JSON.parse(state?.toString() ?? "") as { readonly directory: string };
}

function isAlive(pid: number): boolean {
  return existsSync(`/proc/${pid}/exe`);
}

it("ends what the prebuild's scripts left behind, before the new owner's begin", async () => {
  const { workspace, read } = await claimBox("");
  expect(workspace.latest_build.build_number).toBe(2);
  expect(isAlive(Number(await read("prebuilds.pid")))).toBe(false);
  expect(isAlive(Number(await read("ann.pid")))).toBe(true);
  expect(await read("ann.token")).toBe(await read("prebuilds.token"));
});

it("restarts all of it where the template says so: nothing that ran has the new owner's token", async () => {
  const { workspace, read } = await claimBox("on_claim: restart");
  expect(isAlive(Number(await read("prebuilds.pid")))).toBe(false);
  expect(isAlive(Number(await read("ann.pid")))).toBe(true);
  const token = await read("prebuilds.token");
  expect(await read("ann.token")).not.toBe(token);
  const response = await fetch(`${server.url}/api/v2/workspaceagents/me/gitsshkey`, {
    headers: { "Coder-Session-Token": token },
  });
  expect(response.status).toBe(401);
  const { latest_build: build } = await ann.call(getWorkspace, {
    params: { workspace: workspace.id },
  });
  expect(build).toMatchObject({ build_number: 2, status: "running" });
});
