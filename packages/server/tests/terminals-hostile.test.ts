import { randomUUID } from "node:crypto";
import { once } from "node:events";

import { makeWorkspace, pushTemplate, requireAgent } from "@slipway/testkit";
import { encodeHex } from "@slipway/wire/bytes/hex";
import {
  encodeTerminalFrame,
  encodeTerminalGreeting,
} from "@slipway/wire/services/terminal-frames";
import { afterAll, beforeAll, describe, expect, inject, it, onTestFinished } from "vitest";
import { WebSocket } from "ws";

import { openServer, type OpenServer } from "./support/open-server.ts";
import { addPerson, type Person } from "./support/people.ts";
import { type TerminalQuery, TerminalViewer } from "./support/terminal-viewer.ts";

/* Hostile users of terminals, beyond what our commands do. */

const template = `
driver: process
agents:
  main: { os: linux, arch: amd64 }
`;

const pieceBytes = 64 * 1024;

const opened = new AsyncDisposableStack();
let server: OpenServer;
let agentId = "";
/** A user with a workspace. */
let other: Person;
let otherAgentId = "";

beforeAll(async () => {
  server = opened.use(await openServer(inject("postgresUrl")));
  const templateId = await pushTemplate(server.admin, "terminals", template);
  const isReady = ({ status }: { readonly status: string }): boolean => status === "connected";
  const own = makeWorkspace(server.admin, "own", templateId, isReady);
  other = await addPerson(server, "other", []);
  const theirs = makeWorkspace(other.client, "theirs", templateId, isReady);
  agentId = requireAgent(await own).id;
  otherAgentId = requireAgent(await theirs).id;
});

afterAll(() => opened.disposeAsync());

async function open(query: TerminalQuery): Promise<TerminalViewer> {
  const { url, admin } = server;
  const viewer = new TerminalViewer({ url, headers: admin.headers, agentId, query });
  await once(viewer.socket, "open");
  return viewer;
}

function openTheirs(query: TerminalQuery, id = otherAgentId): TerminalViewer {
  const { headers } = other.client;
  return new TerminalViewer({ url: server.url, headers, agentId: id, query });
}

/** Opens a terminal whose bytes do not come from its program. */
function openRaw(query: TerminalQuery): WebSocket {
  const parameters = new URLSearchParams({ reconnect: randomUUID(), ...query });
  const address = `${server.url.replace("http", "ws")}/api/v2/workspaceagents/${agentId}/pty`;
  const { headers } = server.admin;
  const socket = new WebSocket(`${address}?${parameters.toString()}`, { headers });
  onTestFinished(() => socket.terminate());
  return socket;
}

describe("the id of another user's terminal", () => {
  it("names another terminal at another agent", async () => {
    const reconnect = randomUUID();
    const own = await open({ reconnect });
    await own.type("secret=47''11; echo ready", /ready\r\n/);
    const theirs = openTheirs({ reconnect });
    await once(theirs.socket, "open");
    await theirs.type('echo "<$secret>"', /<>\r\n/);
    expect(theirs.seen).not.toContain("4711");
  });

  it("lets nobody in who may not connect to its workspace", async () => {
    const reconnect = randomUUID();
    const viewer = randomUUID();
    const own = await open({ reconnect });
    await own.type("echo ready", /ready\r\n/);
    for (const query of [
      { reconnect },
      { reconnect, viewer },
      { reconnect, viewer, received: "0" },
    ]) {
      const [, response] = await once(openTheirs(query, agentId).socket, "unexpected-response");
      expect(response.statusCode).toBe(404);
    }
  });

  it("begins no second command", async () => {
    const reconnect = randomUUID();
    const own = await open({ reconnect, command: "echo first; cat" });
    await own.sees(/first\r\n/);
    const again = await open({ reconnect, command: "echo second" });
    await again.sees(/first\r\n/);
    own.send({ data: "typed\r" });
    await again.sees(/typed\r\ntyped\r\n/);
    expect(again.seen).not.toContain("second");
  });
});

describe("a viewer that resumes", () => {
  it("is told that it never was there", async () => {
    const viewer = randomUUID();
    const socket = openRaw({ viewer, received: "70000" });
    const unread: Buffer[] = [];
    socket.on("message", (data: Buffer, isBinary) => void (isBinary && unread.push(data)));
    await once(socket, "close");
    const frame = encodeTerminalFrame({ type: "unknown" });
    expect(encodeHex(Buffer.concat(unread))).toBe(
      encodeHex(encodeTerminalGreeting(viewer)) + encodeHex(frame),
    );
  });

  it.each([
    ["a gap between inputs", '{"data":"x","number":2}'],
    ["an input without a place", '{"data":"x","number":-1}'],
    ["a position beyond 2^53", '{"received":1e300}'],
    ["a position that is a text", '{"received":"7"}'],
  ])("is cut off for %s", async (_, message) => {
    const socket = openRaw({ viewer: randomUUID(), command: "cat" });
    socket.on("open", () => socket.send(Buffer.from(message)));
    const [code] = await once(socket, "close");
    expect(code).toBe(1011);
  });

  it("may say nonsense about what it has received, at its own expense", async () => {
    const query = { viewer: randomUUID(), command: "echo ready; cat" };
    const viewer = new TerminalViewer({
      url: server.url,
      headers: server.admin.headers,
      agentId,
      query,
      takesText: true,
    });
    await viewer.sees(/ready/);
    for (const received of [0, 2 ** 52, 1, 2 ** 40]) viewer.send({ received });
    // A frame may start between the echo and the line.
    await viewer.type("typed", /typed[^]*typed/);
  });
});

it("takes thousands of sizes, and sizes that no terminal has", async () => {
  const viewer = await open({});
  for (let size = 1; size <= 5_000; size += 1) viewer.send({ width: size, height: size });
  for (const width of [0, -1, 1.5, 1e300, null]) viewer.send({ width, height: 10 });
  viewer.send({ width: 70_000, height: 20 });
  viewer.send({ width: 90, height: 30 });
  await viewer.type("stty size", /30 90/);
});

it.each([
  ["a message without an end", '{"data":"', "x"],
  ["nothing but brackets", "{", "{"],
  ["no object", "[]", " "],
])("cuts off a viewer that sends %s, and serves others meanwhile", async (_, begin, more) => {
  const viewer = await open({});
  const bystander = await open({});
  await bystander.type("echo here", /here/);
  viewer.socket.send(Buffer.from(begin));
  for (let sent = 0; sent < 5 * 1024 * 1024; sent += pieceBytes) {
    viewer.socket.send(Buffer.alloc(pieceBytes, more));
  }
  await bystander.type("echo still-here", /still-here/);
  expect((await viewer.ended)[0]).toBe(1011);
});
