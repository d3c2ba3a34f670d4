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
  const methods = { status: 200, body: { password: { enabled: true } } };
  server.answers = new Map(
    Object.entries({ ...loginAnswers, "GET /api/v2/users/authmethods": methods }),
  );
  const { code } = await server.run("login", [server.url, "ada@example.com", "x"]);
  expect(code).toBe(0);
});

const device = {
  device_code: "sealed",
  user_code: "WDJBM-JHTKX",
  verification_uri: "https://slipway.test/login/device",
  verification_uri_complete: "https://slipway.test/login/device?code=WDJBM-JHTKX",
  expires_in: 60,
  interval: 0,
};
const browserAnswers = {
  ...loginAnswers,
  "POST /api/v2/users/login/device": { status: 201, body: device },
  "POST /api/v2/users/login/device/session": { status: 201, body: { session_token: "t" } },
};

it("logs in with a browser, at the address that was given", async () => {
  server.answers = new Map(Object.entries(browserAnswers));
  const { code, terminal } = await server.run(`login ${server.url} --browser`);
  expect(code).toBe(0);
  expect(terminal.errText()).toContain("check that it shows the code WDJBM-JHTKX:");
  expect(terminal.errText()).toContain(`${server.url}/login/device?code=WDJBM-JHTKX\n`);
  expect(terminal.errText()).toContain(`logged in to ${server.url} as ada`);
  const path = "POST /api/v2/users/login/device/session";
  expect(server.bodies.get(path)).toEqual({ device_code: "sealed" });
});

it("offers the login providers of the server, and goes to the chosen one", async () => {
  const providers = [
    { id: "acme", type: "oidc", display_name: "Acme", icon_url: "", login_url: "" },
  ];
  const body = { password: { enabled: true }, providers };
  const methods = { "GET /api/v2/users/authmethods": { status: 200, body } };
  server.answers = new Map(Object.entries({ ...browserAnswers, ...methods }));
  const { code, terminal } = await server.run(`login ${server.url}`, ["acme"]);
  expect(code).toBe(0);
  const redirect = "%2Flogin%2Fdevice%3Fcode%3DWDJBM-JHTKX";
  expect(terminal.errText()).toContain(`${server.url}/login/with/acme?redirect=${redirect}`);
  const byPassword = await server.run(`login ${server.url}`, ["", "ada@example.com", "x"]);
  expect(byPassword.code).toBe(0);
});

it("tells when the code was not approved in time", async () => {
  const expired = { status: 400, body: { message: "no", detail: "expired_token" } };
  const path = "POST /api/v2/users/login/device/session";
  server.answers = new Map(Object.entries({ ...browserAnswers, [path]: expired }));
  const { code, terminal } = await server.run(`login ${server.url} --provider acme --no-open`);
  expect(terminal.errText()).toContain("the code WDJBM-JHTKX has expired");
  expect(code).toBe(3);
});

it("tests a login provider by a login in the browser", async () => {
  const begun = { id: "x", login_url: "/login/with/acme?test=x", expires_in: 60, interval: 0 };
  const tested = {
    outcome: "allowed",
    reason: "",
    message: "",
    subject: "1",
    username: "ada",
    email: "ada@example.com",
    email_verified: true,
    name: "Ada",
    groups: ["dev"],
    roles: ["auditor"],
    claims: { sub: "1" },
  };
  const path = "/api/v2/login-providers/acme/test-logins";
  const answers = {
    [`POST ${path}`]: { status: 201, body: begun },
    [`POST ${path}/result`]: { status: 200, body: tested },
  };
  server.answers = new Map(Object.entries({ ...loginAnswers, ...answers }));
  await server.run(`login ${server.url} --email ada@example.com --password x`);
  const { code, terminal } = await server.run("oidc test --provider acme --login");
  expect(terminal.errText()).toContain(`${server.url}/login/with/acme?test=x\n`);
  expect(terminal.outText()).toContain("Roles     auditor");
  expect(server.bodies.get(`POST ${path}/result`)).toEqual({ id: "x" });
  expect(code).toBe(0);
  const both = await server.run("oidc test --provider acme --login --user ada");
  expect(both.terminal.errText()).toContain("pass only one of --login, --user and --claims");
});

it("tells when the login was refused", async () => {
  const refused = { status: 400, body: { message: "no", detail: "access_denied" } };
  const path = "POST /api/v2/users/login/device/session";
  server.answers = new Map(Object.entries({ ...browserAnswers, [path]: refused }));
  const { code, terminal } = await server.run(`login ${server.url} --browser`);
  expect(terminal.errText()).toContain("the login with the code WDJBM-JHTKX was refused");
  expect(code).toBe(3);
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
