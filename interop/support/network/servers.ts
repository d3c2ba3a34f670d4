import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { getWorkspace } from "@slipway/api/workspaces/routes";
import type { ApiClient } from "@slipway/sdk/http";
import {
  firstAgent,
  logInAsAdmin,
  pushTemplate,
  startServerProcess,
  waitForWorkspace,
} from "@slipway/testkit";

import { makeExternalWorkspace } from "../external-workspace.ts";
import { findStockWorkspace, startAnew } from "../stock-workspace.ts";

/** A workspace whose agent has yet to be started. */
export interface NetworkWorkspace {
  readonly id: string;
  readonly name: string;
  /** The token of its agent. */
  readonly token: string;
}

/** A server with workspaces for agents that are started elsewhere. The opener disposes of it. */
export interface NetworkServer extends AsyncDisposable {
  readonly client: ApiClient;
  /** Returns a workspace, with this name if possible; only the one of the last call is used. */
  openWorkspace(name: string): Promise<NetworkWorkspace>;
}

export interface ServerKind {
  readonly name: string;
  open(): Promise<NetworkServer>;
}

export const ourServer: ServerKind = { name: "our server", open: () => openOurServer() };

/**
 * Our server and the one of SLIPWAY_STOCK_SERVER, with the variables of `stock-server.test.ts`. That one rejects
 * agents of later releases than its own.
 */
export const servers: readonly ServerKind[] = [
  ourServer,
  ...(process.env["SLIPWAY_STOCK_SERVER"] === undefined
    ? []
    : [{ name: "a stock server", open: findStockServer }]),
];

/** Waits until the agent of a workspace has connected to its server. */
export async function untilConnected(client: ApiClient, workspaceId: string): Promise<string> {
  const { latest_build: build } = await waitForWorkspace(client, workspaceId, (workspace) => {
    return firstAgent(workspace)?.status === "connected";
  });
  return build.id;
}

const template = `
driver: external
agents:
  main: { os: linux, arch: amd64 }
`;

/** Opens our server with additional settings and a template of the driver `external`, whose agent is `main`. */
export async function openOurServer(
  text = template,
  environment: Readonly<Record<string, string>> = {},
): Promise<NetworkServer> {
  await using opening = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), "slipway-network-"));
  opening.defer(() => rm(directory, { recursive: true, force: true }));
  const server = opening.use(
    await startServerProcess({ dataDir: directory, port: 0, environment }),
  );
  const client = await logInAsAdmin(server.url);
  const templateId = await pushTemplate(client, "network", text);
  const opened = opening.move();
  return {
    client,
    openWorkspace: (name) => makeExternalWorkspace(client, templateId, name),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

/** The running server has one workspace, which each agent gets as if it were new. */
function findStockServer(): Promise<NetworkServer> {
  const workspace = findStockWorkspace();
  const { client, id, agentToken: token } = workspace;
  return Promise.resolve({
    client,
    openWorkspace: async () => {
      await startAnew(workspace);
      const { name } = await client.call(getWorkspace, { params: { workspace: id } });
      return { id, name, token };
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  });
}
