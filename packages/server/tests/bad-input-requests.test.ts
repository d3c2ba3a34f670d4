import { randomUUID } from "node:crypto";

import * as api from "@slipway/api";
import { silentLogger } from "@slipway/runtime";
import { openClient } from "@slipway/testkit";
import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";

import { createHttpServer } from "../src/platform/http/http-server.ts";
import { openWorld, type World } from "./support/authorization-world.ts";
import { openServer, type OpenServer } from "./support/open-server.ts";
import { addPerson, type Client, testPassword } from "./support/people.ts";
import { sendRaw } from "./support/raw-socket.ts";
import { countRows, countSettledRows } from "./support/table-counts.ts";

/*
 * Requests that no client of ours would send. Each gets an answer that describes the fault, nothing of it is stored,
 * and the server keeps answering.
 */

const opened = new AsyncDisposableStack();
let server: OpenServer;
let world: World;

beforeAll(async () => {
  server = opened.use(await openServer(inject("postgresUrl")));
  world = await openWorld(server);
});

afterAll(() => opened.disposeAsync());

const tokenHeader = "Coder-Session-Token";

interface Sent {
  readonly body?: string | Uint8Array<ArrayBuffer>;
  readonly headers?: Readonly<Record<string, string>>;
}

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** Sends a request as the administrator, unless the headers have another token. */
async function send(method: string, path: string, { body, headers }: Sent = {}): Promise<Answer> {
  const hasToken = headers !== undefined && tokenHeader in headers;
  const response = await fetch(`${server.url}/api/v2${path}`, {
    method,
    headers: hasToken ? headers : { ...server.admin.headers, ...headers },
    body: body ?? null,
  });
  const text = await response.text();
  return { status: response.status, body: text === "" ? undefined : JSON.parse(text) };
}

/** Runs an action and checks that every table keeps its number of rows. */
async function expectUnchanged<T>(action: () => Promise<T>): Promise<T> {
  const before = await countSettledRows(server.db);
  const result = await action();
  expect(await countRows(server.db)).toEqual(before);
  return result;
}

const user = { email: "new@example.com", username: "newcomer", password: testPassword };
const bytes = (...values: number[]): Uint8Array<ArrayBuffer> => Uint8Array.from(values);
const nested = (depth: number): string => `${"[".repeat(depth)}${"]".repeat(depth)}`;

describe("a body", () => {
  const invalid = (detail: string) => ({ message: "Request body must be valid JSON.", detail });
  const refused = (field: string, detail: string) => ({
    message: "Validation failed.",
    validations: expect.arrayContaining([{ field, detail }]),
  });

  it.each([
    ["is cut off", '{"email":', invalid("Unexpected end of JSON input")],
    ["is a form", "email=x", invalid(expect.stringContaining("is not valid JSON"))],
    ["is not UTF-8", bytes(0x22, 0xff, 0xfe, 0x22), invalid("found bytes that are not UTF-8")],
    ["has a byte order mark", bytes(0xef, 0xbb, 0xbf, 0x7b, 0x7d), invalid(expect.any(String))],
    ["is deep", nested(65), invalid("found more than 64 nested arrays and objects")],
    ["is very deep", nested(400_000), invalid(expect.stringContaining("found more than 64"))],
    [
      "is deep where nobody looks",
      `{"email":"new@example.com","username":"new","password":"${testPassword}","x":${nested(90_000)}}`,
      invalid(expect.stringContaining("found more than 64")),
    ],
    ["is a list", "[]", refused("body", "must be object")],
    ["is null", "null", refused("body", "must be object")],
    ["is empty", "", refused("body", "must be object")],
    ["lacks a field", '{"email":"a@b.c"}', refused("username", "is required")],
    [
      "has a number for a text",
      JSON.stringify({ ...user, username: 5 }),
      refused("username", "must be string"),
    ],
    ["has a number that is none", '{"username":1e999}', refused("username", "must be string")],
    [
      "has U+0000",
      JSON.stringify({ ...user, name: "a\0b" }),
      refused("name", "must not contain the character U+0000 or an unpaired surrogate"),
    ],
    [
      "has half a surrogate pair",
      JSON.stringify({ ...user, name: "\ud800" }),
      refused("name", "must not contain the character U+0000 or an unpaired surrogate"),
    ],
    [
      "hides its fields in __proto__",
      `{"__proto__":${JSON.stringify(user)}}`,
      refused("email", "is required"),
    ],
  ])("that %s is refused", async (_, body, expected) => {
    const answer = await expectUnchanged(() => send("POST", "/users", { body }));
    expect(answer).toEqual({ status: 400, body: expected });
  });

  it("with a key twice counts as its last one", async () => {
    const body = `{"email":"nobody@example.com","email":"admin@localhost","password":"wrong"}`;
    expect(await send("POST", "/users/login", { body })).toEqual({
      status: 401,
      body: { message: "Incorrect email or password." },
    });
  });

  it.each(["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])(
    "is JSON, whatever it is called: %s",
    async (type) => {
      const headers = { "Content-Type": type };
      const answer = await send("POST", "/users", { body: '{"username":5}', headers });
      expect(answer).toMatchObject({ status: 400, body: { message: "Validation failed." } });
    },
  );

  it.each([
    ["JSON", "POST", "/users", 1024 * 1024],
    ["a file", "POST", "/files", api.maxFileBytes],
    ["a log of an agent", "PATCH", "/workspaceagents/me/logs", api.maxLogBodyBytes],
  ])("is too large by one byte: %s", async (_, method, path, limit) => {
    const agent = world.callers.agent;
    const headers = path.includes("/me/") ? { ...agent } : { "Content-Type": api.tarMimeType };
    const body = new Uint8Array(limit + 1).fill(0x20);
    const answer = await expectUnchanged(() => send(method, path, { body, headers }));
    expect(answer).toMatchObject({ status: 413, body: { message: "Request body is too large." } });
  });

  it("of which nobody says the length is cut off when it is too large", async () => {
    const head = `POST /api/v2/users/login HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n`;
    const chunk = `10000\r\n${" ".repeat(0x1_0000)}\r\n`;
    const answer = await sendRaw(server.url, head + chunk.repeat(20));
    expect(answer.status).toBe(413);
  });

  it("that a file pretends to be is refused by its type", async () => {
    const answer = await expectUnchanged(() =>
      send("POST", "/files", { body: "x", headers: { "Content-Type": "application/zip" } }),
    );
    expect(answer).toEqual({
      status: 400,
      body: {
        message: 'Unsupported content type header "application/zip".',
        detail: "Send the template as application/x-tar.",
      },
    });
  });
});

describe("every route that takes a body", () => {
  const withBody = api
    .routesOf(api)
    .filter(({ route, name }) => route.method !== "GET" && name !== "logout");
  let before: Readonly<Record<string, number>>;

  beforeAll(async () => {
    before = await countSettledRows(server.db);
  });

  it.each(withBody)("$name refuses values of other types", async ({ route }) => {
    const names = { name: "x", key: "x", devcontainer: "x", provider: "x" };
    const path = api.routePath(route, { ...world.ids, ...names, notification: api.nilUuid });
    const agent = world.callers.agent;
    const headers = route.caller === "agent" ? agent : server.admin.headers;
    const values = [[[]], { x: { y: 1 } }, -1.5];
    const bodies = propertiesOf(route.body).flatMap((key) =>
      values.map((value) => JSON.stringify({ [key]: value })),
    );
    await expectRefused(bodies.map((body) => send(route.method, path, { body, headers })));
  });

  it("has kept nothing", async () => {
    expect(await countRows(server.db)).toEqual(before);
  });
});

function propertiesOf(schema: unknown): readonly string[] {
  if (typeof schema !== "object" || schema === null || !("properties" in schema)) return [];
  return Object.keys(schema.properties ?? {});
}

/** Checks that each answer reports a bad request, in words. */
async function expectRefused(pending: readonly Promise<Answer>[]): Promise<void> {
  for (const answer of await Promise.all(pending)) {
    expect(answer).toEqual({
      status: expect.toSatisfy((code: number) => code >= 400 && code < 500),
      body: answer.status === 405 ? undefined : inWords,
    });
  }
}

const inWords: unknown = expect.objectContaining({ message: expect.any(String) });

describe("every route that names something", () => {
  const named = api.routesOf(api).filter(({ route }) => route.path.includes(":"));
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
    await expectRefused(paths.map((path) => send(route.method, path, sent)));
  });

  it("has kept nothing", async () => {
    expect(await countRows(server.db)).toEqual(before);
  });
});

describe("a token", () => {
  const signedOut =
    "You are signed out or your session has expired. Please sign in again to continue.";
  const wrong = (detail: string) => ({ message: signedOut, detail });

  async function tokenOf(ann: Client): Promise<string> {
    const body = { token_name: `t${randomUUID().slice(0, 8)}` };
    return (await ann.call(api.createToken, { params: { user: "me" }, body })).key;
  }

  const ask = (token: string) => send("GET", "/users/me", { headers: { [tokenHeader]: token } });

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
    await client.call(api.deleteKey, { params: { user: "me", key: idOf(revoked) } });
    const mixed = `${idOf(other)}-${expired.split("-")[1] ?? ""}`;
    const answers = await expectUnchanged(() => Promise.all([expired, revoked, mixed].map(ask)));
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
    expect(await expectUnchanged(() => ask(token))).toEqual({ status: 401, body: wrong(detail) });
  });
});

describe("a name that is taken", () => {
  const params = { user: "me" };

  it("is refused in other letters of the same", async () => {
    const taken = await addPerson(server, "taken");
    const token = { token_name: "Same" };
    await taken.client.call(api.createToken, { params, body: token });
    const answers = await expectUnchanged(() =>
      Promise.all([
        send("POST", "/users", { body: JSON.stringify({ ...user, username: "TAKEN" }) }),
        send("POST", "/users", { body: JSON.stringify({ ...user, email: "Taken@Example.com" }) }),
        send("POST", "/users/me/keys/tokens", {
          body: JSON.stringify(token),
          headers: taken.client.headers,
        }),
        send("POST", "/organizations/default/templates", {
          body: JSON.stringify({ name: "DEMO", template_version_id: world.ids["version"] }),
        }),
        send("POST", "/users/ann/workspaces", {
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
    const statuses = async (one: (at: number) => Promise<Answer>): Promise<number[]> =>
      (await Promise.all(racers.map(one))).map(({ status }) => status).toSorted((a, b) => a - b);
    const onlyOne = [201, ...racers.slice(1).map(() => 409)];
    const json = (body: object): Sent => ({ body: JSON.stringify(body) });
    const cased = (name: string, at: number): string => (at % 2 === 0 ? name : name.toUpperCase());
    expect(
      await statuses((at) =>
        send(
          "POST",
          "/users",
          json({ ...user, username: cased("racer", at), email: `r${at}@x.org` }),
        ),
      ),
    ).toEqual(onlyOne);
    expect(
      await statuses((at) =>
        send(
          "POST",
          "/users/me/workspaces",
          json({ name: cased("race", at), template_id: world.ids["template"] }),
        ),
      ),
    ).toEqual(onlyOne);
    expect(
      await statuses(() => send("POST", "/users/me/keys/tokens", json({ token_name: "race" }))),
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
    expect(await expectUnchanged(() => send("GET", path))).toEqual({ status, body });
  });

  it("that is no UTF-8 finds nothing", async () => {
    const answer = await send("GET", "/workspaces?q=name:%ff%fe");
    expect(answer).toEqual({ status: 200, body: { workspaces: [], count: 0 } });
  });
});

describe("a message that is no HTTP", () => {
  const login = "POST /api/v2/users/login HTTP/1.1\r\nHost: x\r\n";

  it.each([
    ["a text", "GARBAGE\r\n\r\n", 400],
    ["bytes in the path", Buffer.from("GET /\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n", "latin1"), 400],
    ["no host", "GET /api/v2/buildinfo HTTP/1.1\r\n\r\n", 400],
    ["two hosts", "GET /api/v2/buildinfo HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n", 400],
    ["no host in the host", "GET /api/v2/buildinfo HTTP/1.1\r\nHost: x/y\r\n\r\n", 400],
    ["another scheme", "GET ftp://x/ HTTP/1.1\r\nHost: x\r\n\r\n", 400],
    [
      "two hosts that want an upgrade",
      "GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
      400,
    ],
    [
      "two hosts that want to continue",
      `${login}Host: y\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n`,
      400,
    ],
    ["two lengths", `${login}Content-Length: 5\r\nContent-Length: 6\r\n\r\n{}`, 400],
    [
      "a length and chunks",
      `${login}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      400,
    ],
    ["a length below zero", `${login}Content-Length: -1\r\n\r\n`, 400],
    [
      "a length of a petabyte",
      `${login}Connection: close\r\nContent-Length: 999999999999999\r\n\r\n{`,
      413,
    ],
    ["a chunk without a length", `${login}Transfer-Encoding: chunked\r\n\r\nZZ\r\n`, 400],
    ["U+0000 in a header", "GET / HTTP/1.1\r\nHost: x\r\nA: b\0c\r\n\r\n", 400],
    ["a long header", `GET / HTTP/1.1\r\nHost: x\r\nA: ${"b".repeat(20_000)}\r\n\r\n`, 431],
    ["a long URL", `GET /${"b".repeat(20_000)} HTTP/1.1\r\nHost: x\r\n\r\n`, 431],
    ["a flood of headers", `GET / HTTP/1.1\r\nHost: x\r\n${"A: b\r\n".repeat(8_000)}`, 431],
    ["a tunnel", "CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n", 0],
    [
      "an upgrade to something else",
      "GET /api/v2/buildinfo HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n",
      400,
    ],
  ])("is refused: %s", async (_, message, status) => {
    expect(await sendRaw(server.url, message)).toMatchObject({ status });
  });

  it("but whose URL is absolute is answered like one with the path", async () => {
    const answer = await sendRaw(
      server.url,
      "GET HTTP://x/api/v2/buildinfo?a HTTP/1.1\r\nHost: y\r\nConnection: close\r\n\r\n",
    );
    expect(answer).toMatchObject({ status: 200 });
    expect(answer.body).toContain('"version"');
  });

  it("and takes its time is cut off", async () => {
    const slow = await createHttpServer("v0", silentLogger, { requestTimeoutMs: 200 });
    try {
      slow.post("/", async () => "never");
      const url = await slow.listen({ port: 0, host: "127.0.0.1" });
      const head = "POST / HTTP/1.1\r\nHost: x\r\n";
      const answers = await Promise.all([
        sendRaw(url, `${head}Content-Length: 5\r\n\r\n{`),
        sendRaw(url, head),
        sendRaw(url, `${head}Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n`),
      ]);
      expect(answers.map(({ status }) => status)).toEqual([408, 408, 408]);
    } finally {
      await slow.close();
    }
  });
});

it("has not harmed the server", async () => {
  expect(await openClient(server.url).call(api.getBuildInfo)).toHaveProperty("version");
});
