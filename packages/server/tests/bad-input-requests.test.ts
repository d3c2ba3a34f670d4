import { randomUUID } from "node:crypto";

import { createToken, deleteKey } from "@slipway/api/users/key-routes";
import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";

import { openWorld, type World } from "./support/authorization-world.ts";
import { openServer, type OpenServer } from "./support/open-server.ts";
import { addPerson, type Client } from "./support/people.ts";
import {
  expectUnchanged,
  newcomer,
  type RawAnswer,
  type RawRequest,
  send,
} from "./support/raw-requests.ts";

/* Tokens, names, paths and queries that are refused; no part of them is stored. */

const opened = new AsyncDisposableStack();
let server: OpenServer;
let world: World;

beforeAll(async () => {
  server = opened.use(await openServer(inject("postgresUrl")));
  world = await openWorld(server);
});

afterAll(() => opened.disposeAsync());

describe("a token", () => {
  const signedOut =
    "You are signed out or your session has expired. Please sign in again to continue.";
  const wrong = (detail: string) => ({ message: signedOut, detail });

  async function tokenOf(ann: Client): Promise<string> {
    const body = { token_name: `t${randomUUID().slice(0, 8)}` };
    return (await ann.call(createToken, { params: { user: "me" }, body })).key;
  }

  const ask = (token: string) =>
    send(server, "GET", "/users/me", { headers: { "Coder-Session-Token": token } });

  it("that has expired, was revoked, or is another's is refused", async () => {
    const { client } = await addPerson(server, "tess");
    const [expired, revoked, other] = [
      await tokenOf(client),
      await tokenOf(client),
      await tokenOf(client),
    ];
    const idOf = (token: string): string => token.split("-")[0] ?? "";
    await sql`update api_keys set expires_at = now() - interval '1 second'
      where id = ${idOf(expired)}`.execute(server.db);
    await client.call(deleteKey, { params: { user: "me", key: idOf(revoked) } });
    const mixed = `${idOf(other)}-${expired.split("-")[1] ?? ""}`;
    const answers = await expectUnchanged(server, () =>
      Promise.all([expired, revoked, mixed].map(ask)),
    );
    expect(answers.map(({ status }) => status)).toEqual([401, 401, 401]);
    expect(answers).toMatchObject(
      Array.from({ length: 3 }, () => ({
        body: { message: signedOut, detail: expect.any(String) },
      })),
    );
    expect(await ask(other)).toMatchObject({ status: 200 });
  });

  it.each([
    ["x", "Invalid API key format: incorrect amount of API key parts, expected 2 got 1"],
    ["a-b", "Invalid API key format: invalid API key ID length, expected 10 got 1"],
    [
      `${"a".repeat(10)}-b`,
      "Invalid API key format: invalid API key secret length, expected 22 got 1",
    ],
    [
      "-".repeat(8000),
      "Invalid API key format: incorrect amount of API key parts, expected 2 got 8001",
    ],
  ])("that is none is refused: %#", async (token, detail) => {
    expect(await expectUnchanged(server, () => ask(token))).toEqual({
      status: 401,
      body: wrong(detail),
    });
  });
});

describe("a name that is taken", () => {
  const params = { user: "me" };

  it("is refused in other letters of the same", async () => {
    const taken = await addPerson(server, "taken");
    const token = { token_name: "Same" };
    await taken.client.call(createToken, { params, body: token });
    const answers = await expectUnchanged(server, () =>
      Promise.all([
        send(server, "POST", "/users", {
          body: JSON.stringify({ ...newcomer, username: "TAKEN" }),
        }),
        send(server, "POST", "/users", {
          body: JSON.stringify({ ...newcomer, email: "Taken@Example.com" }),
        }),
        send(server, "POST", "/users/me/keys/tokens", {
          body: JSON.stringify(token),
          headers: taken.client.headers,
        }),
        send(server, "POST", "/organizations/default/templates", {
          body: JSON.stringify({ name: "DEMO", template_version_id: world.ids["version"] }),
        }),
        send(server, "POST", "/users/ann/workspaces", {
          body: JSON.stringify({ name: "DEV", template_id: world.ids["template"] }),
        }),
      ]),
    );
    expect(answers).toMatchObject([
      { status: 409, body: { validations: [{ field: "username" }] } },
      { status: 409, body: { validations: [{ field: "email" }] } },
      { status: 409, body: { validations: [{ field: "name" }] } },
      { status: 409, body: { validations: [{ field: "name" }] } },
      { status: 409, body: { validations: [{ field: "name" }] } },
    ]);
  });

  it("goes to one of many who ask at once", async () => {
    const racers = Array.from({ length: 12 }, (_, at) => at);
    const statuses = async (one: (at: number) => Promise<RawAnswer>): Promise<number[]> =>
      (await Promise.all(racers.map(one))).map(({ status }) => status).toSorted((a, b) => a - b);
    const onlyOne = [201, ...racers.slice(1).map(() => 409)];
    const json = (body: object): RawRequest => ({ body: JSON.stringify(body) });
    const cased = (name: string, at: number): string => (at % 2 === 0 ? name : name.toUpperCase());
    expect(
      await statuses((at) =>
        send(
          server,
          "POST",
          "/users",
          json({ ...newcomer, username: cased("racer", at), email: `r${at}@x.org` }),
        ),
      ),
    ).toEqual(onlyOne);
    expect(
      await statuses((at) =>
        send(
          server,
          "POST",
          "/users/me/workspaces",
          json({ name: cased("race", at), template_id: world.ids["template"] }),
        ),
      ),
    ).toEqual(onlyOne);
    expect(
      await statuses(() =>
        send(server, "POST", "/users/me/keys/tokens", json({ token_name: "race" })),
      ),
    ).toEqual(onlyOne);
    const { rows } = await sql`select 1 from users where lower(username) = 'racer'
      union all select 1 from workspaces where lower(name) = 'race'
      union all select 1 from api_keys where token_name = 'race'`.execute(server.db);
    expect(rows).toHaveLength(3);
  });
});

describe("a path or a query", () => {
  it.each([
    [
      "/users/%ff",
      400,
      { message: "The path is not a valid URL.", detail: 'Found "/api/v2/users/%ff".' },
    ],
    [
      "/users/%zz",
      400,
      { message: "The path is not a valid URL.", detail: 'Found "/api/v2/users/%zz".' },
    ],
    ["/users/a%00b", 400, { message: "Validation failed.", validations: [expect.anything()] }],
    [
      "/workspaces?q=a%00b",
      400,
      { message: "Validation failed.", validations: [expect.anything()] },
    ],
    [
      "/workspaces?limit=x",
      400,
      { message: "Validation failed.", validations: [expect.anything()] },
    ],
    [
      "/workspaces?q=a:b:c",
      400,
      { message: "Invalid workspace search query.", validations: [expect.anything()] },
    ],
    [
      `/users/${"x".repeat(600)}`,
      414,
      { message: "A segment of the path is too long.", detail: expect.any(String) },
    ],
    [
      `/workspaces?q=${"x".repeat(4000)}`,
      400,
      { message: "Validation failed.", validations: [expect.anything()] },
    ],
    ["/no/such/route", 404, { message: "Route not found." }],
  ])("is refused: %#", async (path, status, body) => {
    expect(await expectUnchanged(server, () => send(server, "GET", path))).toEqual({
      status,
      body,
    });
  });

  it("that is no UTF-8 finds nothing", async () => {
    const answer = await send(server, "GET", "/workspaces?q=name:%ff%fe");
    expect(answer).toEqual({ status: 200, body: { workspaces: [], count: 0 } });
  });
});
