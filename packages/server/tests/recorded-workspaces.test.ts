import { once } from "node:events";

import { updateAutomaticUpdates, updateTtl } from "@slipway/api/workspaces/routes";
import { makeWorkspace, pushTemplate, waitForWorkspace } from "@slipway/testkit";
import { readRecording, type RecordedLine } from "@slipway/testkit/recordings";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { WebSocket } from "ws";

import { AnswerComparison } from "./support/compare-answer.ts";
import { connectRecordedAgent } from "./support/connect-recorded-agent.ts";
import { ofWorkspaces } from "./support/deliberate-differences.ts";
import { openServer, type Answer, type OpenServer } from "./support/open-server.ts";
import { nameRequest, RecordedIds } from "./support/recorded-ids.ts";
import { recordedApp, recordedTemplate } from "./support/recorded-template.ts";
import { bodyOf, hasJson, messagesOf } from "./support/recordings.ts";
import { firstEventOf, readFirstEvent } from "./support/server-sent-events.ts";
import { wireRequest } from "./support/wire-request.ts";

/*
 * The requests of stock commands about workspaces, replayed on our server: the same statuses, every recorded key with
 * its type, and no others. Of commands that reach into a workspace, only the HTTP requests are replayed.
 */

/** In the order of recording: each command finds the workspace as the previous one left it. */
const commands = [
  "show",
  "list",
  "list-json",
  "logs",
  "config-ssh",
  "netcheck",
  "ping",
  "speedtest",
  "ssh-command",
  "publickey",
  "schedule-show",
  "schedule-stop",
  "favorite",
  "unfavorite",
  "autoupdate",
  "state-pull",
  "stop",
  "start",
  "restart",
  "update",
  "port-forward",
  "ssh-stdio",
  "create-exists",
  "show-connecting",
  "delete",
];

const opened = new AsyncDisposableStack();
const ids = new RecordedIds();
const comparison = new AnswerComparison(ofWorkspaces);
let server: OpenServer;

beforeAll(async () => {
  server = opened.use(await openServer(inject("postgresUrl")));
  const client = server.admin;
  const old = await make("w64004-0", "tpl1795564004", recordedTemplate + recordedApp);
  await client.call(updateTtl, { params: { workspace: old }, body: { ttl_ms: 28_800_000 } });
  const body = { automatic_updates: "always" as const };
  await client.call(updateAutomaticUpdates, { params: { workspace: old }, body });
  const connected = await make("w64299-0", "tpl1795564299", recordedTemplate + recordedApp);
  opened.use(await connectRecordedAgent(client, connected));
});
afterAll(() => opened.disposeAsync());

/** Preparations between the recorded commands, by the command that followed. */
const preparations: Readonly<Record<string, () => Promise<void>>> = {
  "port-forward": async () => {
    const starting = await make("w64578-0", "tpl1795564578", recordedTemplate + recordedApp);
    const agent = opened.use(await connectRecordedAgent(server.admin, starting));
    await agent.start();
    const status = { app_slug: "web", state: "working", message: "m", uri: "https://example.com" };
    await wireRequest("PATCH", `${server.url}/api/v2/workspaceagents/me/app-status`, {
      token: agent.token,
      body: status,
    });
  },
  "create-exists": async () => {
    await make("new1", "tpl1795565376", recordedTemplate);
  },
};

/** Creates a workspace from its own template; resolves to its id when it is built. */
async function make(name: string, templateName: string, yaml: string): Promise<string> {
  const templateId = await pushTemplate(server.admin, templateName, yaml);
  const { id } = await makeWorkspace(server.admin, name, templateId, () => true);
  const isBuilt = (status: string): boolean => status === "running";
  await waitForWorkspace(server.admin, id, (found) => isBuilt(found.latest_build.status));
  return id;
}

/**
 * Returns the HTTP requests of a command, and the text streams. Of repeated requests the last response counts: by then
 * the job was done.
 */
function requestsOf(all: readonly RecordedLine[]): readonly RecordedLine[] {
  const requests = all.filter(({ path = "" }) => {
    return path.startsWith("/api/v2/") && !path.includes("/coordinate");
  });
  return requests.filter(({ method, path }, index) => {
    const isLast = requests.findLastIndex((other) => other.path === path) === index;
    return method !== "GET" || isLast;
  });
}

/** Repeats a request until a build's state is that of the recorded response. */
async function ask(record: RecordedLine): Promise<Answer> {
  const { method = "GET", path = "", request_body: body = "" } = record;
  const input: unknown = body === "" ? undefined : JSON.parse(ids.translate(body));
  const isEnded = hasJson(record) && isEndedBuild(bodyOf(record));
  for (;;) {
    const answer = await server.request(method, ids.translate(path.replace("/api/v2", "")), input);
    if (!isEnded || isEndedBuild(answer.body)) return answer;
  }
}

function isEndedBuild(body: unknown): boolean {
  return JSON.stringify(body).includes('"completed_at"');
}

async function compare(
  record: RecordedLine,
  all: readonly RecordedLine[],
): Promise<readonly string[]> {
  const { kind, path = "" } = record;
  const name = nameRequest(record.method ?? "WS", path);
  if (kind === "upgrade") {
    return comparison.compareJson(name, messagesOf(all, record.id), await follow(record));
  }
  if (path.endsWith("/watch")) {
    const url = `${server.url}${ids.translate(path)}`;
    const ours = await readFirstEvent(url, server.admin.headers);
    // The recorded command may have disconnected before it got more than a ping.
    const recorded = firstEventOf(record.response_body) ?? ours;
    return comparison.compareJson(name, recorded, ours);
  }
  const answer = await ask(record);
  if (hasJson(record)) ids.learn(bodyOf(record), answer.body);
  return comparison.compare(record, answer);
}

/** Reads the messages of a build's log, until it ends with the build. */
async function follow(record: RecordedLine): Promise<readonly unknown[]> {
  const url = `${server.url.replace("http", "ws")}${ids.translate(record.path ?? "")}`;
  const socket = new WebSocket(url, { headers: server.admin.headers });
  const messages: unknown[] = [];
  socket.on("message", (data: Buffer) => messages.push(JSON.parse(data.toString())));
  const [code, reason] = await once(socket, "close");
  expect([code, String(reason)]).toEqual([1000, "done"]);
  return messages;
}

describe("what a stock command asks about workspaces", () => {
  it.each(commands)("%s gets answers of the recorded shapes", async (command) => {
    await preparations[command]?.();
    const all = readRecording(`command/${command}`);
    for (const record of requestsOf(all)) {
      expect(await compare(record, all)).toEqual([]);
    }
  });

  it("is answered otherwise only as listed", () => {
    expect(comparison.unseen()).toEqual([]);
  });
});
