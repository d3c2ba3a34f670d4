import { mkdir, writeFile } from "node:fs/promises";
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type ServerResponse,
} from "node:http";
import { connect } from "node:net";
import { join } from "node:path";
import type { Duplex } from "node:stream";

import { forwardRequest, type LocalServer, openLocalServer } from "@slipway/testkit";
import { afterAll, beforeAll, expect, it, onTestFinished } from "vitest";

import { type EndedCommand, runCommandProcess } from "../support/command-process.ts";
import { type CommandServer, openCommandServer } from "../support/command-server.ts";

/* A proxy in front of a server that admits only requests with a certain header. */

const wanted = { "x-access": "a,secret" };
const template = "driver: process\nagents:\n  main: { os: linux, arch: amd64 }\n";

let server: CommandServer;
let proxy: LocalServer;
/** Requests with and without the header, as the protocol of their upgrade and their path. */
const admitted: string[] = [];
const refused: string[] = [];

beforeAll(async () => {
  server = await openCommandServer();
  proxy = await openAccessProxy(Number(new URL(server.server.url).port));
  await mkdir(join(server.directory, "box"));
  await writeFile(join(server.directory, "box", "slipway.yaml"), template);
});

afterAll(async () => {
  await proxy[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

async function openAccessProxy(port: number): Promise<LocalServer> {
  const admits = ({ headers, url = "" }: IncomingMessage): boolean => {
    const isAdmitted = headers["x-access"] === wanted["x-access"];
    (isAdmitted ? admitted : refused).push(`${headers.upgrade ?? "http"} ${url.split("?")[0]}`);
    return isAdmitted;
  };
  const http = createServer((incoming: IncomingMessage, outgoing: ServerResponse) => {
    if (!admits(incoming)) return outgoing.writeHead(403).end("<html>");
    return forwardRequest(incoming, outgoing, { port, headers: incoming.headers });
  });
  http.on("upgrade", (incoming: IncomingMessage, near: Duplex, head: Buffer) => {
    near.on("error", () => undefined);
    if (!admits(incoming)) return near.end("HTTP/1.1 403 Forbidden\r\n\r\n");
    const { method = "", url = "", rawHeaders } = incoming;
    const lines = rawHeaders.map((text, index) => text + (index % 2 === 0 ? ": " : "\r\n"));
    const far = connect(port, "127.0.0.1", () => {
      far.write(`${method} ${url} HTTP/1.1\r\n${lines.join("")}\r\n`);
      far.write(head);
      near.pipe(far).pipe(near);
    });
    far.on("error", () => near.destroy());
    return near.on("close", () => far.destroy());
  });
  return openLocalServer(http);
}

function slipway(
  words: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<EndedCommand> {
  return runCommandProcess(words, {
    environment: { ...server.environment, CODER_URL: proxy.url, ...environment },
  });
}

it("sends the headers of a command with every request and on every socket", async () => {
  const environment = { CODER_HEADER_COMMAND: 'test -n "$CODER_URL" && echo "X-Access=a,secret"' };
  const run = (...words: string[]): Promise<EndedCommand> => slipway(words, environment);
  expect(await run("templates", "push", join(server.directory, "box"))).toMatchObject({ code: 0 });
  expect(await run("create", "demo", "--template", "box", "--yes")).toMatchObject({ code: 0 });
  expect(await run("ssh", "demo", "--disable-direct-connections", "echo", "hi")).toMatchObject({
    code: 0,
    out: "hi\n",
  });
  expect(refused).toEqual([]);
  expect(admitted).toContainEqual(expect.stringMatching(/^websocket .*\/logs$/));
  expect(admitted).toContainEqual(expect.stringMatching(/^websocket .*\/coordinate$/));
  expect(admitted).toContain("DERP /derp");
});

it("sends the headers of flags and of the variable", async () => {
  refused.splice(0);
  const flag = ["--header", "X-Access=a,secret", "--header", "X-Other=1"];
  const listed = { code: 0, out: expect.stringContaining("demo") };
  expect(await slipway([...flag, "list"])).toMatchObject(listed);
  expect(await slipway(["list"], { CODER_HEADER: "X-Access=a,secret\n" })).toMatchObject(listed);
  const login = ["login", proxy.url, "--token", server.environment["CODER_SESSION_TOKEN"] ?? ""];
  expect(await slipway([...login, ...flag])).toMatchObject({ code: 0 });
  expect(refused).toEqual([]);
  expect(await slipway(["list"])).toMatchObject({ code: 3 });
});

it.each<[string, string[], Record<string, string>]>([
  ["item 1 of --header is not key=value", ["--header", "X-Access=a\r\nX-Evil: secret"], {}],
  ["item 1 of --header is not key=value", ["--header", "X Access=secret"], {}],
  ["item 2 of CODER_HEADER is not key=value", [], { CODER_HEADER: "X-One=1,secret" }],
  [
    "item 1 of the header command's output is not key=value",
    ["--header-command", "echo secret"],
    {},
  ],
  ["the header command failed with code 7", ["--header-command", "echo secret; exit 7"], {}],
])("fails with %s, and shows no value", async (message, words, environment) => {
  const { code, err, out } = await slipway([...words, "list"], environment);
  expect({ code, out }).toEqual({ code: 1, out: "" });
  expect(err).toContain(`error: ${message}`);
  expect(err).not.toContain("secret");
});

it("gives no header to another server that it is redirected to", async () => {
  const requests: IncomingMessage["headers"][] = [];
  const open = async (listener: RequestListener): Promise<string> => {
    const listening = await openLocalServer(createServer(listener));
    onTestFinished(() => listening[Symbol.asyncDispose]());
    return listening.url;
  };
  const other = await open((incoming, outgoing) => {
    requests.push(incoming.headers);
    outgoing.end("{}");
  });
  const first = await open((incoming, outgoing) => {
    requests.push(incoming.headers);
    outgoing.writeHead(302, { Location: `${other}${incoming.url}` }).end();
  });
  await slipway(["--header", "X-Access=a,secret", "list"], { CODER_URL: first });
  expect(requests).toMatchObject([wanted, { host: new URL(other).host }]);
  expect(requests[1]).not.toHaveProperty("x-access");
});
