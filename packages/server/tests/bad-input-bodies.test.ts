import { updateAgentLogs } from "@slipway/api/agents/log-routes";
import { maxFileBytes, tarMimeType } from "@slipway/api/files/routes";
import { afterAll, beforeAll, describe, expect, inject, it, vi } from "vitest";

import { openWorld, type World } from "./support/authorization-world.ts";
import { openServer, type OpenServer } from "./support/open-server.ts";
import { testPassword } from "./support/people.ts";
import { expectUnchanged, newcomer, send } from "./support/raw-requests.ts";
import { sendRaw } from "./support/raw-socket.ts";

/* Bodies that our clients never send: the response describes the fault, and no part of them is stored. */

const opened = new AsyncDisposableStack();
let server: OpenServer;
let world: World;

beforeAll(async () => {
  server = opened.use(await openServer(inject("postgresUrl")));
  world = await openWorld(server);
});

afterAll(() => opened.disposeAsync());

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
    ["is very deep", nested(32_000), invalid(expect.stringContaining("found more than 64"))],
    [
      "is deep where nobody looks",
      `{"email":"new@example.com","username":"new","password":"${testPassword}","x":${nested(30_000)}}`,
      invalid(expect.stringContaining("found more than 64")),
    ],
    ["is a list", "[]", refused("body", "must be object")],
    ["is null", "null", refused("body", "must be object")],
    ["is empty", "", refused("body", "must be object")],
    ["lacks a field", '{"email":"a@b.c"}', refused("username", "is required")],
    [
      "has a number for a text",
      JSON.stringify({ ...newcomer, username: 5 }),
      refused("username", "must be string"),
    ],
    ["has a number that is none", '{"username":1e999}', refused("username", "must be string")],
    [
      "has U+0000",
      JSON.stringify({ ...newcomer, name: "a\0b" }),
      refused("name", "must not contain the character U+0000 or an unpaired surrogate"),
    ],
    [
      "has half a surrogate pair",
      JSON.stringify({ ...newcomer, name: "\ud800" }),
      refused("name", "must not contain the character U+0000 or an unpaired surrogate"),
    ],
    [
      "hides its fields in __proto__",
      `{"__proto__":${JSON.stringify(newcomer)}}`,
      refused("email", "is required"),
    ],
  ])("that %s is refused", async (_, body, expected) => {
    const answer = await expectUnchanged(server, () => send(server, "POST", "/users", { body }));
    expect(answer).toEqual({ status: 400, body: expected });
  });

  it("with a key twice counts as its last one", async () => {
    const body = `{"email":"nobody@example.com","email":"admin@localhost","password":"wrong"}`;
    expect(await send(server, "POST", "/users/login", { body })).toEqual({
      status: 401,
      body: { message: "Incorrect email or password." },
    });
    // The refusal is recorded concurrently with the response; the tests that follow count rows.
    await vi.waitFor(async () => {
      const { body: found } = await send(server, "GET", "/audit?q=action:login&limit=1");
      expect(found).toMatchObject({ audit_logs: [{ status_code: 401 }] });
    });
  });

  it.each(["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])(
    "is JSON, whatever it is called: %s",
    async (type) => {
      const headers = { "Content-Type": type };
      const answer = await send(server, "POST", "/users", { body: '{"username":5}', headers });
      expect(answer).toMatchObject({ status: 400, body: { message: "Validation failed." } });
    },
  );

  it.each([
    ["JSON", "POST", "/users", 64 * 1024],
    ["JSON of nobody", "POST", "/users/login", 16 * 1024],
    ["a file", "POST", "/files", maxFileBytes],
    ["a log of an agent", "PATCH", "/workspaceagents/me/logs", updateAgentLogs.maxBodyBytes],
  ])("is too large by one byte: %s", async (_, method, path, limit) => {
    const agent = world.callers.agent;
    const headers = path.includes("/me/") ? { ...agent } : { "Content-Type": tarMimeType };
    const body = new Uint8Array(limit + 1).fill(0x20);
    const answer = await expectUnchanged(server, () =>
      send(server, method, path, { body, headers }),
    );
    expect(answer).toMatchObject({ status: 413, body: { message: "Request body is too large." } });
  });

  it("of ten thousand values is looked at no further", async () => {
    const body = `[${"0,".repeat(10_000)}0]`;
    const answer = await send(server, "POST", "/authcheck", { body });
    expect(answer).toEqual({
      status: 400,
      body: {
        message: "Request body must be valid JSON.",
        detail: "found more than 10000 values",
      },
    });
  });

  it("with many faults is refused for the first of them, and a small one for all", async () => {
    const user = { ...newcomer, username: 5, name: 5 };
    const small = await send(server, "POST", "/users", { body: JSON.stringify(user) });
    const padded = JSON.stringify({ ...user, padding: "x".repeat(8_000) });
    const large = await send(server, "POST", "/users", { body: padded });
    expect(small.body).toMatchObject({ validations: [{}, {}] });
    expect(large.body).toMatchObject({ validations: [{}] });
    expect(large.body).not.toMatchObject({ validations: [{}, {}] });
  });

  it("of which nobody says the length is cut off when it is too large", async () => {
    const head = `POST /api/v2/users/login HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n`;
    const chunk = `10000\r\n${" ".repeat(0x1_0000)}\r\n`;
    const answer = await sendRaw(server.url, head + chunk.repeat(2));
    expect(answer.status).toBe(413);
  });

  it("that a file pretends to be is refused by its type", async () => {
    const answer = await expectUnchanged(server, () =>
      send(server, "POST", "/files", { body: "x", headers: { "Content-Type": "application/zip" } }),
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
