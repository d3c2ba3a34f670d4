import { randomUUID } from "node:crypto";

import { contract } from "@slipway/api/contract";
import { nilUuid } from "@slipway/api/contract/nil-uuid";
import { routePath, routesOf } from "@slipway/api/contract/route";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";

import { openWorld, type World } from "./support/authorization-world.ts";
import { openServer, type OpenServer } from "./support/open-server.ts";
import { type RawAnswer, send } from "./support/raw-requests.ts";
import { countRows, countSettledRows } from "./support/table-counts.ts";

/*
 * Every route, with values of wrong types and names of missing resources: refused with a message, and nothing is
 * stored.
 */

const opened = new AsyncDisposableStack();
let server: OpenServer;
let world: World;

beforeAll(async () => {
  server = opened.use(await openServer(inject("postgresUrl")));
  world = await openWorld(server);
});

afterAll(() => opened.disposeAsync());

describe("every route that takes a body", () => {
  const withBody = routesOf(contract).filter(
    ({ route, name }) => route.method !== "GET" && name !== "logout",
  );
  let before: Readonly<Record<string, number>>;

  beforeAll(async () => {
    before = await countSettledRows(server.db);
  });

  it.each(withBody)("$name refuses values of other types", async ({ route }) => {
    const names = { name: "x", key: "x", devcontainer: "x", provider: "x" };
    const path = routePath(route, { ...world.ids, ...names, notification: nilUuid, run: nilUuid });
    const agent = world.callers.agent;
    const headers = route.caller === "agent" ? agent : server.admin.headers;
    const values = [[[]], { x: { y: 1 } }, -1.5];
    const bodies = propertiesOf(route.body).flatMap((key) =>
      values.map((value) => JSON.stringify({ [key]: value })),
    );
    await expectRefused(bodies.map((body) => send(server, route.method, path, { body, headers })));
  });

  it("has kept nothing", async () => {
    expect(await countRows(server.db)).toEqual(before);
  });
});

function propertiesOf(schema: unknown): readonly string[] {
  if (typeof schema !== "object" || schema === null || !("properties" in schema)) return [];
  return Object.keys(schema.properties ?? {});
}

/** Checks that each response reports a bad request, with a message. */
async function expectRefused(pending: readonly Promise<RawAnswer>[]): Promise<void> {
  for (const answer of await Promise.all(pending)) {
    expect(answer).toEqual({
      status: expect.toSatisfy((code: number) => code >= 400 && code < 500),
      body: answer.status === 405 ? undefined : inWords,
    });
  }
}

const inWords: unknown = expect.objectContaining({ message: expect.any(String) });

describe("every route that names something", () => {
  const named = routesOf(contract).filter(({ route }) => route.path.includes(":"));
  const ids = [
    randomUUID(),
    "no such thing",
    "'; drop table users; --",
    "%",
    "x".repeat(600),
    "\0",
  ];
  let before: Readonly<Record<string, number>>;

  beforeAll(async () => {
    before = await countSettledRows(server.db);
  });

  it.each(named)("$name says that there is no such thing", async ({ route }) => {
    const paths = ids.map((id) => route.path.replaceAll(/:\w+/g, encodeURIComponent(id)));
    const sent = route.method === "GET" ? {} : { body: "{}" };
    await expectRefused(paths.map((path) => send(server, route.method, path, sent)));
  });

  it("has kept nothing", async () => {
    expect(await countRows(server.db)).toEqual(before);
  });
});
