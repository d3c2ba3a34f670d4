import { createHash, randomBytes, randomUUID } from "node:crypto";
import { once } from "node:events";

import type { RoleName } from "@slipway/api/users/user";
import { makeWorkspace, pushTemplate, requireAgent } from "@slipway/testkit";
import { afterAll, beforeAll, describe, expect, inject, it, vi } from "vitest";

import { openReplica, openServer, type OpenServer } from "./support/open-server.ts";
import { addPerson } from "./support/people.ts";
import { type TerminalQuery, TerminalViewer } from "./support/terminal-viewer.ts";

/* Terminals in a workspace with our agent, through the server's own peer. */

const maxTerminals = 6;
const secret = { SLIPWAY_SECRET_KEY: randomBytes(32).toString("hex") };
const template = `
driver: process
agents:
  main: { os: linux, arch: amd64 }
`;

const opened = new AsyncDisposableStack();
let server: OpenServer;
let agentId = "";

beforeAll(async () => {
  const limits = { SLIPWAY_MAX_TERMINALS_PER_USER: String(maxTerminals) };
  server = opened.use(await openServer(inject("postgresUrl"), { ...secret, ...limits }));
  const templateId = await pushTemplate(server.admin, "terminals", template);
  const workspace = await makeWorkspace(
    server.admin,
    "terminals",
    templateId,
    ({ status }) => status === "connected",
  );
  agentId = requireAgent(workspace).id;
});

afterAll(() => opened.disposeAsync());

function view(
  query: TerminalQuery,
  url = server.url,
  headers = server.admin.headers,
): TerminalViewer {
  return new TerminalViewer({ url, headers, agentId, query });
}

async function open(query: TerminalQuery = {}): Promise<TerminalViewer> {
  const viewer = view(query);
  await once(viewer.socket, "open");
  return viewer;
}

async function metric(name: string): Promise<number> {
  const text = await (await fetch(`${server.url}/metrics`)).text();
  return Number(new RegExp(`^${name} (\\d+)$`, "m").exec(text)?.[1]);
}

describe("a terminal", () => {
  it("shows what is typed and printed, in the size that its viewer has", async () => {
    const viewer = await open({ height: "31", width: "97" });
    await viewer.type("echo $((40 + 2)); stty size", /42\r\n31 97/);
    viewer.send({ height: 20, width: 50 });
    await viewer.type("stty size", /20 50/);
    await viewer.type("exit", /exit/);
    expect(await viewer.ended).toEqual([1000, ""]);
  });

  it("takes what is typed before the agent is reached, in messages cut anywhere", async () => {
    const viewer = await open({ command: "cat" });
    for (const byte of Buffer.from('{"data":"early\\r"}')) {
      viewer.socket.send(Uint8Array.of(byte));
    }
    await viewer.sees(/early\r\nearly/);
  });

  it("runs a command, and ends with it", async () => {
    const viewer = view({ command: "echo one; echo two" });
    expect(await viewer.ended).toEqual([1000, ""]);
    expect(viewer.seen).toBe("one\r\ntwo\r\n");
  });

  it("is the same for whoever names it again, on whichever replica", async () => {
    const reconnect = randomUUID();
    const first = await open({ reconnect });
    await first.type("secret=4711; echo kept", /kept\r\n/);
    first.socket.close();
    await first.ended;
    await using replica = await openReplica(server, secret);
    const second = view({ reconnect }, replica.url);
    await second.sees(/kept\r\n/);
    const third = await open({ reconnect });
    await second.type("echo $secret", /4711/);
    await third.sees(/4711/);
    second.socket.close();
    await second.ended;
  });

  it("carries a long paste without a loss to a program that reads slowly", async () => {
    const bytes = 1_000_000;
    const command = `stty raw -echo; echo ready; sleep 0.3; head -c ${bytes} | md5sum`;
    const viewer = await open({ command });
    await viewer.sees(/ready/);
    for (let sent = 0; sent < bytes; sent += 10_000) viewer.send({ data: "x".repeat(10_000) });
    const sum = createHash("md5").update("x".repeat(bytes)).digest("hex");
    await viewer.sees(new RegExp(sum));
  });

  it("refuses text messages", async () => {
    const viewer = await open();
    viewer.socket.send("text");
    expect((await viewer.ended)[0]).toBe(1003);
  });

  it("is left in order when its viewer goes", async () => {
    await vi.waitFor(async () => expect(await metric("slipway_agent_connections")).toBe(0), 10_000);
    const viewer = await open();
    await viewer.type("echo here", /here/);
    await expect.poll(() => metric("slipway_agent_connections")).toBe(1);
    viewer.socket.terminate();
    await expect.poll(() => metric("slipway_agent_connections")).toBe(0);
  });
});

it("keeps nothing for a viewer that does not read, and lets others go on", async () => {
  const idle = await open({ command: "yes" });
  await idle.sees(/y\r\ny/);
  idle.socket.pause();
  const other = await open();
  const before = process.memoryUsage().rss;
  for (let turn = 0; turn < 50; turn += 1) {
    await other.type(`head -c 100000 /dev/zero | wc -c; echo turn-$((${turn} + 1000))`, /turn-1/);
    await other.sees(new RegExp(`turn-${turn + 1000}`));
  }
  expect(process.memoryUsage().rss - before).toBeLessThan(64 * 1024 * 1024);
  idle.seen = "";
  idle.socket.resume();
  await expect.poll(() => idle.seen.length).toBeGreaterThan(1_000_000);
  expect(/^[y\r\n]*$/.test(idle.seen)).toBe(true);
});

it("ends with its server, which does not wait for the agent", async () => {
  const replica = await openReplica(server, secret);
  const viewer = view({}, replica.url);
  await once(viewer.socket, "open");
  await viewer.type("echo here", /here/);
  const beganAt = performance.now();
  await replica[Symbol.asyncDispose]();
  await viewer.ended;
  expect(performance.now() - beganAt).toBeLessThan(10_000);
});

it("limits the terminals that a user has open", async () => {
  const viewers = Array.from({ length: maxTerminals }, () => open());
  const [first] = await Promise.all(viewers);
  const refused = view({});
  const [, response] = await once(refused.socket, "unexpected-response");
  expect(response.statusCode).toBe(429);
  first?.socket.close();
  await first?.ended;
  await vi.waitFor(() => open());
});

it("is not shown to users who may not connect to the workspace", async () => {
  const others: RoleName[][] = [[], ["template-admin"], ["auditor"]];
  for (const roles of others) {
    const { client } = await addPerson(server, `p${randomUUID().slice(0, 8)}`, roles);
    const viewer = view({}, server.url, client.headers);
    const [, response] = await once(viewer.socket, "unexpected-response");
    expect(response.statusCode).toBe(404);
  }
});
