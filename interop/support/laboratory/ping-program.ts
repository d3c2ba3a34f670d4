import { setTimeout as pause } from "node:timers/promises";

import { getWorkspaceByName } from "@slipway/api/workspaces/routes";
import { silentLogger, systemClock } from "@slipway/runtime";
import { ApiClient } from "@slipway/sdk/http";
import { connectWorkspace } from "@slipway/sdk/workspace";

import { type Pong, pingEveryMs, pingTimeoutMs } from "./pong.ts";

/*
 * Pings one of the user's workspaces until it is killed, and prints each pong as JSON. Its arguments are the address
 * of the server, a session token and the name of the workspace.
 */

const [, , serverUrl = "", token = "", name = ""] = process.argv;
const client = new ApiClient({ serverUrl, token });
const { signal } = new AbortController();
const params = { user: "me", name };
const { latest_build: build } = await client.call(getWorkspaceByName, { params });
const [agent] = build.resources.flatMap(({ agents }) => agents);
if (agent === undefined) throw new Error(`workspace ${name} has no agent`);
const connection = await connectWorkspace({
  client,
  agentId: agent.id,
  disableDirect: false,
  clock: systemClock,
  logger: silentLogger,
  signal,
});
for (;;) {
  process.stdout.write(`${JSON.stringify(await ping())}\n`);
  await pause(pingEveryMs);
}

async function ping(): Promise<Pong> {
  const limit = AbortSignal.timeout(pingTimeoutMs);
  try {
    const { path } = await connection.ping(limit);
    if (path.kind === "relay") return { way: "relay" };
    return { way: "direct", address: path.address.replace(/:\d+$/, "") };
  } catch (error) {
    if (!limit.aborted) throw error;
    return { way: "none" };
  }
}
