import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { ApiClient } from "@slipway/sdk/http";
import { logInAsAdmin, pushTemplate, startServerProcess } from "@slipway/testkit";
import { internetAddresses, type Laboratory } from "@slipway/testkit/netlab";

/** Our server on the internet of a laboratory. The opener disposes of it. */
export interface LaboratoryServer extends AsyncDisposable {
  /** The URL for agents and commands in the laboratory. */
  readonly url: string;
  /** The administrator's client, outside the laboratory. */
  readonly client: ApiClient;
  /** A template of the driver `external`, whose agent is `main`. */
  readonly templateId: string;
  /** A directory for files of agents and commands, removed with the server. */
  readonly directory: string;
}

/** The address and port of the server. */
export const laboratoryServer = { host: internetAddresses[0], port: 3_000 } as const;

const template = `
driver: external
agents:
  main: { os: linux, arch: amd64 }
`;

export async function openLaboratoryServer(lab: Laboratory): Promise<LaboratoryServer> {
  await using opening = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), "slipway-laboratory-"));
  opening.defer(() => rm(directory, { recursive: true, force: true }));
  const { host, port } = laboratoryServer;
  const url = `http://${host}:${String(port)}`;
  const server = await startServerProcess({
    dataDir: directory,
    port,
    launcher: lab.internet.launcher,
    environment: {
      SLIPWAY_HTTP_ADDRESS: `${host}:${String(port)}`,
      SLIPWAY_ACCESS_URL: url,
    },
  });
  opening.defer(() => server.end("SIGINT"));
  const door = await lab.openDoor(port);
  const client = await logInAsAdmin(door.url);
  const templateId = await pushTemplate(client, "laboratory", template);
  const opened = opening.move();
  return { url, client, templateId, directory, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}
