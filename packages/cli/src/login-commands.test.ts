import { expect, it } from "vitest";

import { AnsweringServer } from "../tests/support/answering-server.ts";

const server = AnsweringServer.forEachTest();

const loginAnswers = {
  "GET /api/v2/buildinfo": { status: 200, body: { version: "v1.0.0" } },
  "GET /api/v2/users/first": { status: 200, body: { message: "yes" } },
  "POST /api/v2/users/login": { status: 201, body: { session_token: "t" } },
  "GET /api/v2/users/me": {
    status: 200,
    body: { username: "ada", email: "ada@example.com", roles: [] },
  },
};

it("logs in with flags, and is logged in for the next command", async () => {
  server.answers = new Map(Object.entries(loginAnswers));
  const login = await server.run(`login ${server.url} --email ada@example.com --password x`);
  expect(login.terminal.errText()).toContain(`logged in to ${server.url} as ada`);
  expect(login.code).toBe(0);
  const whoami = await server.run("whoami");
  expect(whoami.terminal.outText()).toContain(`Server  ${server.url}`);
});

it("prompts on a terminal for missing values", async () => {
  server.answers = new Map(Object.entries(loginAnswers));
  const { code } = await server.run("login", [server.url, "ada@example.com", "x"]);
  expect(code).toBe(0);
});

it("creates the first user if there is none", async () => {
  server.answers = new Map(
    Object.entries({
      ...loginAnswers,
      "GET /api/v2/users/first": { status: 404, body: { message: "none" } },
      "POST /api/v2/users/first": { status: 201, body: {} },
    }),
  );
  const { code, terminal } = await server.run(`login ${server.url}`, [
    true,
    "ada",
    "ada@example.com",
    "Ada L",
    "x",
  ]);
  expect(terminal.errText()).toContain("has no users yet");
  expect(code).toBe(0);
  expect(server.bodies.get("POST /api/v2/users/first")).toEqual({
    username: "ada",
    email: "ada@example.com",
    name: "Ada L",
    password: "x",
  });
});

it("creates the first user from the flags that scripts for coder pass", async () => {
  server.answers = new Map(
    Object.entries({
      ...loginAnswers,
      "GET /api/v2/users/first": { status: 404, body: { message: "none" } },
      "POST /api/v2/users/first": { status: 201, body: {} },
    }),
  );
  const { code } = await server.run(
    `login ${server.url} --first-user-username ada --first-user-email=ada@example.com --first-user-full-name Ada --first-user-password x --first-user-trial`,
  );
  expect(code).toBe(0);
  expect(server.bodies.get("POST /api/v2/users/first")).toEqual({
    username: "ada",
    email: "ada@example.com",
    name: "Ada",
    password: "x",
  });
});

it("names the missing flags without a terminal", async () => {
  server.answers = new Map(Object.entries(loginAnswers));
  const { code, terminal } = await server.run(`login ${server.url} --email ada@example.com`);
  expect(terminal.errText()).toContain("not a terminal: pass --password");
  expect(code).toBe(2);
});

it("sends no password to another kind of server", async () => {
  server.answers = new Map();
  const { code, terminal } = await server.run(
    `login ${server.url} --email ada@example.com --password x`,
  );
  expect(terminal.errText()).toContain(`${server.url} is not a Slipway server`);
  expect(code).toBe(1);
});
