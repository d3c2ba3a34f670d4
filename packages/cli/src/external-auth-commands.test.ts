import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { systemClock } from "@slipway/runtime";
import { openLocalServer } from "@slipway/testkit";
import { afterEach, beforeEach, expect, it } from "vitest";

import { type MemoryTerminal, memoryTerminal } from "../tests/support/memory-terminal.ts";
import { noOpener } from "../tests/support/recorded-opener.ts";
import { openClient } from "./command/connect.ts";
import { runCommandLine } from "./command/run-command-line.ts";
import { commandTable } from "./gen/command-table.ts";
import { requireLogIns } from "./resources/accounts/external-auth.ts";

/* The commands for logins to external providers, against a server that responds like the real one. */

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

let opened: AsyncDisposableStack;
let directory = "";
let url = "";
/** The responses to each request, in order; the last one repeats. */
let answers: Record<string, Answer[]> = {};
let bodies: string[] = [];

beforeEach(async () => {
  opened = new AsyncDisposableStack();
  [answers, bodies] = [{}, []];
  directory = await mkdtemp(join(tmpdir(), "slipway-config-"));
  opened.defer(() => rm(directory, { recursive: true }));
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part));
    request.once("end", () => {
      bodies.push(Buffer.concat(parts).toString());
      const listed = answers[`${request.method} ${request.url}`] ?? [];
      const none = { status: 404, body: { message: "none" } };
      const { status, body } = (listed.length > 1 ? listed.shift() : listed[0]) ?? none;
      response.writeHead(status, { "Content-Type": "application/json" });
      response.end(status === 204 ? undefined : JSON.stringify(body));
    });
  });
  ({ url } = opened.use(await openLocalServer(server)));
});

afterEach(() => opened.disposeAsync());

async function run(
  line: string,
): Promise<{ readonly code: number; readonly terminal: MemoryTerminal }> {
  const terminal = memoryTerminal();
  const words = `${line} --url ${url} --token t`.split(" ");
  const code = await runCommandLine(commandTable, words, {
    terminal,
    environment: { CODER_CONFIG_DIR: directory },
    clock: systemClock,
    signal: new AbortController().signal,
    opener: noOpener,
    interruption: {
      interrupted: Promise.withResolvers<"SIGINT">().promise,
      forced: new AbortController().signal,
    },
  });
  return { code, terminal };
}

const provider = { id: "git", type: "generic", display_name: "Git Test" };
const state = { authenticated: false, device: false, display_name: "Git Test" };
const place = "/api/v2/external-auth";

it("lists providers with the logins", async () => {
  const link = { provider_id: "git", authenticated: true, validate_error: "", expires: "0001" };
  const other = { ...provider, id: "other", display_name: "Other" };
  const body = { providers: [provider, other], links: [link] };
  answers[`GET ${place}`] = [{ status: 200, body }];
  const { terminal } = await run("external-auth list -c id,login");
  expect(terminal.outText()).toBe("ID     LOGIN\ngit    logged in\nother  not logged in\n");
  const json = await run("external-auth list -o json");
  expect(JSON.parse(json.terminal.outText())).toMatchObject([{ provider, link }, { link: null }]);
});

it("prints the page, and waits until the user has logged in there", async () => {
  const answer = (authenticated: boolean) => ({ status: 200, body: { ...state, authenticated } });
  answers[`GET ${place}/git`] = [answer(false), answer(false), answer(true)];
  const { code, terminal } = await run("external-auth login git");
  expect(code).toBe(0);
  expect(terminal.errText()).toBe(
    `log in with a browser: ${url}/external-auth/git\nlogged in to Git Test\n`,
  );
  expect((await run("external-auth login git")).terminal.errText()).toContain("already logged in");
});

it("shows the code of the device flow, and waits until it is entered", async () => {
  answers[`GET ${place}/git`] = [{ status: 200, body: { ...state, device: true } }];
  const device = {
    device_code: "sealed",
    user_code: "ABCD-1234",
    verification_uri: "https://git.test/device",
    expires_in: 60,
    interval: 0.01,
  };
  answers[`GET ${place}/git/device`] = [{ status: 200, body: device }];
  const pending = { message: "Failed to exchange.", detail: "authorization_pending" };
  answers[`POST ${place}/git/device`] = [
    { status: 400, body: pending },
    { status: 204, body: undefined },
  ];
  const { code, terminal } = await run("external-auth login git");
  expect(code).toBe(0);
  expect(terminal.errText()).toContain("enter the code ABCD-1234 at https://git.test/device");
  expect(bodies).toContain('{"device_code":"sealed"}');
});

it("tells why a login by code failed", async () => {
  answers[`GET ${place}/git`] = [{ status: 200, body: { ...state, device: true } }];
  const device = { device_code: "x", user_code: "X", verification_uri: "", expires_in: 60 };
  answers[`GET ${place}/git/device`] = [{ status: 200, body: { ...device, interval: 0.01 } }];
  const denied = { message: "Failed to exchange device code.", detail: "access_denied" };
  answers[`POST ${place}/git/device`] = [{ status: 400, body: denied }];
  const { code, terminal } = await run("external-auth login git");
  expect(code).not.toBe(0);
  expect(terminal.errText()).toContain("access_denied");
});

it("logs out, and tells what becomes of the token", async () => {
  answers[`DELETE ${place}/git`] = [
    { status: 200, body: { token_revoked: true } },
    { status: 200, body: { token_revoked: false } },
    { status: 200, body: { token_revoked: false, token_revocation_error: "it is down" } },
  ];
  const texts: string[] = [];
  for (let time = 0; time < 3; time += 1) {
    texts.push((await run("external-auth logout git")).terminal.errText());
  }
  expect(texts[0]).toBe("logged out of git\n");
  expect(texts[1]).toContain("does not revoke tokens");
  expect(texts[2]).toContain("the token was not revoked: it is down");
});

const logIns = "GET /api/v2/templateversions/v1/external-auth";

/** Responds with one provider that a template requires. */
function needed(authenticated: boolean, optional = false): Answer {
  const authenticate_url = `${url}/external-auth/git`;
  return { status: 200, body: [{ ...provider, authenticate_url, authenticated, optional }] };
}

async function requireThem(terminal: MemoryTerminal): Promise<void> {
  const client = openClient(url, "t");
  const { signal } = new AbortController();
  await requireLogIns("v1", { client, terminal, clock: systemClock, opener: noOpener, signal });
}

it("names the login that a template needs where nobody can be asked", async () => {
  answers[logIns] = [needed(false)];
  await expect(requireThem(memoryTerminal())).rejects.toMatchObject({
    message: "the template needs a login to Git Test",
    hint: `log in with: slipway external-auth login git, or at ${url}/external-auth/git`,
  });
  answers[logIns] = [{ status: 404, body: { message: "no provider git" } }];
  await expect(requireThem(memoryTerminal())).rejects.toThrow("no provider git");
});

it("waits on a terminal for the login that a template needs", async () => {
  answers[logIns] = [needed(false), needed(false), needed(true)];
  const terminal = memoryTerminal([]);
  await requireThem(terminal);
  expect(terminal.errText()).toBe(
    `the template needs a login to Git Test: ${url}/external-auth/git\nlogged in to Git Test\n`,
  );
});

it("goes on without an optional login, and says so", async () => {
  answers[logIns] = [needed(false, true)];
  const terminal = memoryTerminal();
  await requireThem(terminal);
  expect(terminal.errText()).toContain("slipway external-auth login git");
});
