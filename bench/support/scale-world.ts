import { ApiClient } from "@slipway/sdk/http";
import {
  fillFleet,
  type FleetPlace,
  fleetSessionToken,
  logInAsAdmin,
  startServerProcess,
} from "@slipway/testkit";

import { makeFleet } from "./external-fleet.ts";
import { type MeasuredPostgres, openMeasuredPostgres } from "./measured-postgres.ts";
import { openDirectory } from "./our-server.ts";
import { openPlainFetch } from "./plain-fetch.ts";

/** A server on a database with many workspaces of many users. */
export interface ScaleWorld {
  readonly database: MeasuredPostgres;
  readonly url: string;
  /** The current process of the server. */
  readonly pid: () => number;
  readonly owner: ApiClient;
  readonly member: ApiClient;
  /** Stops the server, and starts it again at the same address. */
  readonly restart: () => Promise<void>;
}

/** Starts a server and fills its database; both end with `opened`. */
export async function openScaleWorld(
  opened: AsyncDisposableStack,
  workspaces: number,
): Promise<ScaleWorld> {
  const database = await openMeasuredPostgres(opened);
  const dataDir = await openDirectory(opened);
  const start = (port: number) =>
    startServerProcess({ dataDir, port, environment: { SLIPWAY_POSTGRES_URL: database.url } });
  let server = await start(0);
  opened.defer(() => server.end("SIGINT"));
  const { url } = server;
  const { headers } = await logInAsAdmin(url);
  const owner = clientWith(url, headers);
  const [made] = await makeFleet(owner, 1);
  const place = await selectPlace(database, made?.workspaceId ?? "");
  await fillFleet((statement) => database.query(statement), place, workspaces);
  const restart = async (): Promise<void> => {
    await server.end("SIGINT");
    server = await start(Number(new URL(url).port));
  };
  // The measured process has not filled the database, nor created a user.
  await restart();
  return {
    database,
    url,
    pid: () => server.pid,
    owner,
    member: clientWith(url, { "Coder-Session-Token": fleetSessionToken(1) }),
    restart,
  };
}

function clientWith(serverUrl: string, headers: Readonly<Record<string, string>>): ApiClient {
  return new ApiClient({ serverUrl, headers, fetch: openPlainFetch() });
}

/** Reads what a fleet shares with a workspace. */
export async function selectPlace(
  database: MeasuredPostgres,
  workspaceId: string,
): Promise<FleetPlace> {
  const [place] = await database.query<FleetPlace & Record<string, string>>(
    `select w.organization_id as "organizationId", w.owner_id as "userId", w.id as "workspaceId",
        b.template_version_id as "versionId", j.file_id as "fileId"
      from workspaces w join workspace_builds b on b.workspace_id = w.id join jobs j on j.id = b.job_id
      where w.id = $1`,
    [workspaceId],
  );
  if (place === undefined) throw new Error("the first workspace has no build");
  return place;
}
