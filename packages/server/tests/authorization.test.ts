import { contract } from "@slipway/api/contract";
import type { Route } from "@slipway/api/contract/route";
import { routePath, routesOf } from "@slipway/api/contract/route";
import { tarMimeType } from "@slipway/api/files/routes";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";

import { type Row, table } from "./support/authorization-table.ts";
import { callerNames, openWorld, type World } from "./support/authorization-world.ts";
import { openServer, type OpenServer } from "./support/open-server.ts";

const routes = routesOf(contract);

const opened = new AsyncDisposableStack();
let server: OpenServer;
let world: World;

/** A provider without requests: no user logs in to it. */
const provider = {
  SLIPWAY_EXTERNAL_AUTH_0_TYPE: "generic",
  SLIPWAY_EXTERNAL_AUTH_0_ID: "git",
  SLIPWAY_EXTERNAL_AUTH_0_CLIENT_ID: "slipway",
  SLIPWAY_EXTERNAL_AUTH_0_CLIENT_SECRET: "a secret",
  SLIPWAY_EXTERNAL_AUTH_0_AUTH_URL: "https://git.test/authorize",
  SLIPWAY_EXTERNAL_AUTH_0_TOKEN_URL: "https://git.test/token",
};

beforeAll(async () => {
  server = opened.use(await openServer(inject("postgresUrl"), provider));
  world = await openWorld(server);
});

afterAll(() => opened.disposeAsync());

describe("the table of who may do what", () => {
  it("has a row for every route of the contract, and no others", () => {
    expect(Object.keys(table).toSorted()).toEqual(routes.map(({ name }) => name));
  });

  it("is about the routes that the server has", () => {
    const place = ({ method, path }: Route): string => `${method} ${path}`;
    const defined = routes.map(({ route }) => place(route));
    expect(server.routes.map(place).toSorted()).toEqual(defined.toSorted());
  });

  it.each(routes)("$name answers each caller as the table says", async ({ name, route }) => {
    const row = table[name];
    if (row === undefined) throw new Error(`there is no row for ${name}`);
    const answers = new Map<string, number>();
    const wanted = new Map<string, number>();
    for (const caller of callerNames) {
      const headers = world.callers[caller];
      wanted.set(caller, row.statuses[caller]);
      const session = row.endsSession === true ? await world.newSession(headers) : headers;
      answers.set(caller, await ask(route, row, session));
    }
    expect(answers).toEqual(wanted);
  });
});

/** Resolves to the status of a response; closes streams once they have started. */
async function ask(
  route: Route,
  row: Row,
  headers: Readonly<Record<string, string>>,
): Promise<number> {
  const request = typeof row.request === "function" ? await row.request(world) : row.request;
  const path = routePath(route, { ...world.ids, ...request.params });
  const query = request.query === undefined ? "" : `?${request.query}`;
  const leaving = new AbortController();
  const response = await fetch(`${server.url}/api/v2${path}${query}`, {
    method: route.method,
    headers: { ...headers, "Content-Type": contentType(request.body) },
    body: request.body instanceof Uint8Array ? Buffer.from(request.body) : jsonOf(request.body),
    signal: leaving.signal,
  });
  leaving.abort();
  return response.status;
}

function jsonOf(body: unknown): string | null {
  return body === undefined ? null : JSON.stringify(body);
}

function contentType(body: unknown): string {
  return body instanceof Uint8Array ? tarMimeType : "application/json";
}
