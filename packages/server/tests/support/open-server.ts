import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { Driver } from "@slipway/drivers";
import { type Clock, silentLogger, systemClock } from "@slipway/runtime";
import {
  buildAgent,
  agentProgram,
  logInAsAdmin,
  type openClient,
  openTestDatabase,
  testAdmin,
  testPasswordHash,
} from "@slipway/testkit";

import { insertFirstUser } from "../../src/features/users/admin-service.ts";
import { createServer, type Server } from "../../src/main/server.ts";
import { readSettings } from "../../src/platform/config/settings.ts";
import type { Database } from "../../src/platform/db/database.ts";

type Client = ReturnType<typeof openClient>;

/** A server in this process, on its own database, with the administrator logged in. */
export interface OpenServer extends AsyncDisposable {
  readonly url: string;
  readonly db: Database;
  readonly routes: Server["routes"];
  readonly postgresUrl: string;
  readonly admin: Client;
  /** Sends a request exactly as given, by the administrator unless another client is named. */
  request(
    method: string,
    path: string,
    body?: unknown,
    client?: Pick<Client, "headers">,
  ): Promise<Answer>;
}

export interface Answer {
  readonly status: number;
  readonly type: string | null;
  readonly body: unknown;
}

/** Opens a server; `environment` holds additional settings by variable. */
export async function openServer(
  postgresUrl: string,
  environment: Readonly<Record<string, string>> = {},
  drivers: readonly Driver[] = [],
): Promise<OpenServer> {
  await using opening = new AsyncDisposableStack();
  await buildAgent();
  const dataDir = await mkdtemp(join(tmpdir(), "slipway-test-"));
  opening.defer(() => rm(dataDir, { recursive: true, force: true }));
  const database = opening.use(await openTestDatabase(postgresUrl));
  const server = await serve(dataDir, database.url, environment, drivers);
  opening.defer(() => server.close({ stopAgents: true }));
  const url = server.accessUrl;
  const { email } = testAdmin;
  const passwordHash = testPasswordHash;
  await insertFirstUser(server.db, { username: "admin", email, name: "", passwordHash });
  const admin = await logInAsAdmin(url);
  const opened = opening.move();
  return {
    url,
    db: server.db,
    routes: server.routes,
    postgresUrl: database.url,
    admin,
    request: (method, path, input, client = admin) =>
      send(`${url}/api/v2${path}`, method, input, client.headers),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

/** Opens another server of the same deployment, on a machine with this clock. */
export async function openReplica(
  { postgresUrl }: Pick<OpenServer, "postgresUrl">,
  environment: Readonly<Record<string, string>> = {},
  clock: Clock = systemClock,
): Promise<AsyncDisposable & { readonly url: string }> {
  await using opening = new AsyncDisposableStack();
  const dataDir = await mkdtemp(join(tmpdir(), "slipway-test-"));
  opening.defer(() => rm(dataDir, { recursive: true, force: true }));
  const server = opening.use(await serve(dataDir, postgresUrl, environment, [], clock));
  const opened = opening.move();
  return { url: server.accessUrl, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}

function serve(
  dataDir: string,
  postgresUrl: string,
  environment: Readonly<Record<string, string>> = {},
  drivers: readonly Driver[] = [],
  clock: Clock = systemClock,
): Promise<Server> {
  const source = {
    SLIPWAY_PROCESS_DRIVER: "true",
    // Tests of it run in a browser.
    SLIPWAY_DASHBOARD: "false",
    SLIPWAY_DOCKER_HOST: "off",
    SLIPWAY_SECRET_KEY: "the-key-of-all-servers-in-tests-12345",
    ...environment,
    SLIPWAY_HTTP_ADDRESS: "127.0.0.1:0",
    SLIPWAY_DATA_DIR: dataDir,
    SLIPWAY_POSTGRES_URL: postgresUrl,
  };
  return createServer({
    settings: readSettings(source, false),
    agentCommand: [process.execPath, agentProgram],
    drivers,
    clock,
    logger: silentLogger,
    signal: new AbortController().signal,
  });
}

async function send(
  url: string,
  method: string,
  input: unknown,
  headers: Readonly<Record<string, string>>,
): Promise<Answer> {
  const response = await fetch(url, {
    method,
    headers: input === undefined ? headers : { ...headers, "Content-Type": "application/json" },
    body: input === undefined ? null : JSON.stringify(input),
  });
  const text = await response.text();
  const type = response.headers.get("content-type");
  const isJson = (type?.startsWith("application/json") ?? false) && text !== "";
  const body: unknown = isJson ? JSON.parse(text) : text;
  return { status: response.status, type, body };
}
