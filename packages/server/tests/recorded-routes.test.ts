import { once } from "node:events";

import { getAgent } from "@slipway/api/agents/routes";
import { createWorkspace, updateTtl } from "@slipway/api/workspaces/routes";
import type { Workspace } from "@slipway/api/workspaces/workspace";
import { makeWorkspace, pushTemplate, waitForWorkspace } from "@slipway/testkit";
import { readRecording, type RecordedLine } from "@slipway/testkit/recordings";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { WebSocket } from "ws";

import { AnswerComparison } from "./support/compare-answer.ts";
import { connectRecordedAgent, type RecordedAgent } from "./support/connect-recorded-agent.ts";
import { ofRoutes } from "./support/deliberate-differences.ts";
import { openServer, type OpenServer } from "./support/open-server.ts";
import { nameRequest, RecordedIds } from "./support/recorded-ids.ts";
import { recordedApp, recordedMetadata, recordedTemplate } from "./support/recorded-template.ts";
import { messagesOf } from "./support/recordings.ts";
import { firstEventOf, readFirstEvent } from "./support/server-sent-events.ts";
import { wireRequest } from "./support/wire-request.ts";

/*
 * A stock server's responses to valid and invalid requests, compared with ours: the same status, every
 * recorded key with the same JSON type and no others, and the same error message.
 */

/** The subjects of the recorded server's ids. */
const recorded = {
  workspace: "e56e8ec3-9815-487b-b2b3-60c4db6492ab",
  build: "e3929911-650f-4636-b4e6-e8f9c2f09715",
  agent: "98ed5cad-6428-4157-b092-eaf02cfa1fec",
};
const recordedAgentToken = /^30d12598-/;
const recordedUserToken = /^\w{10}-\w{22}$/;
/** Streams that end only with the client: the first event is compared. */
const isStream = /\/(watch-metadata|watch)$/;

const records = readRecording("routes");
const requests = records.filter(({ kind }) => kind === "http");
const upgrades = records.filter(({ kind }) => kind === "upgrade");

const opened = new AsyncDisposableStack();
const ids = new RecordedIds();
const comparison = new AnswerComparison(ofRoutes);
let server: OpenServer;
let agent: RecordedAgent;
/** The ends of the recorded terminals, by the ids of their records. */
let terminalEnds: ReadonlyMap<RecordedLine["id"], Promise<readonly unknown[]>>;

/** The provider of the recorded server. */
const github = {
  CODER_EXTERNAL_AUTH_0_TYPE: "github",
  CODER_EXTERNAL_AUTH_0_CLIENT_ID: "recorded",
  CODER_EXTERNAL_AUTH_0_CLIENT_SECRET: "recorded",
};

beforeAll(async () => {
  server = opened.use(await openServer(inject("postgresUrl"), github));
  const templateId = await pushTemplate(
    server.admin,
    "external",
    recordedTemplate + recordedMetadata + recordedApp,
  );
  await makeOthers(templateId);
  const workspace = await makeWorkspace(server.admin, "w64578-0", templateId, () => true);
  agent = opened.use(await connectRecordedAgent(server.admin, workspace.id));
  await agent.start();
  const ours = { workspace: workspace.id, build: workspace.latest_build.id, agent: agent.id };
  ids.learn(recorded, ours);
  // The server waits some seconds for their agent, while the other tests run.
  const terminals = upgrades.filter(isTerminal).map((record) => {
    const ending: Promise<readonly unknown[]> = once(openSocket(record), "close");
    return [record.id, ending] as const;
  });
  terminalEnds = new Map(terminals);
});

/** Creates two workspaces whose agents never connect; one has a deadline. */
async function makeOthers(templateId: string): Promise<void> {
  const ttl = 28_800_000;
  const isBuilt = (one: Workspace): boolean => one.latest_build.status === "running";
  const { id } = await makeWorkspace(server.admin, "w64004-0", templateId, () => true);
  // A TTL that is set before the build is done would give it a deadline.
  await waitForWorkspace(server.admin, id, isBuilt);
  await server.admin.call(updateTtl, { params: { workspace: id }, body: { ttl_ms: ttl } });
  const body = { name: "w64299-0", template_id: templateId, ttl_ms: ttl };
  const other = await server.admin.call(createWorkspace, { params: { user: "me" }, body });
  await waitForWorkspace(server.admin, other.id, isBuilt);
}

afterAll(() => opened.disposeAsync());

function tokenFor({ request_headers: headers = {} }: RecordedLine): string | undefined {
  const token = headers["coder-session-token"] ?? "";
  if (recordedAgentToken.test(token)) return agent.token;
  if (recordedUserToken.test(token)) return server.admin.headers["Coder-Session-Token"];
  return headers["coder-session-token"];
}

const title = ({ id, method = "WS", path }: RecordedLine): string => `${id} ${method} ${path}`;

it.each(requests.map((record) => [title(record), record] as const))(
  "%s is answered in the same shape",
  async (_title, record) => {
    expect(await compare(record)).toEqual([]);
  },
);

/** Repeats a request; resolves to the differences from the recording. */
async function compare(record: RecordedLine): Promise<readonly string[]> {
  const { method = "GET", path = "", request_body: raw } = record;
  const url = `${server.url}${ids.translate(path)}`;
  if (isStream.test(path)) return compareFirstEvents(record, url);
  const answer = await wireRequest(method, url, { token: tokenFor(record), raw });
  return comparison.compare(record, answer);
}

async function compareFirstEvents(
  { method = "GET", path = "", response_body: body }: RecordedLine,
  url: string,
): Promise<readonly string[]> {
  const name = nameRequest(method, path);
  const ours = await readFirstEvent(url, server.admin.headers);
  const theirs = firstEventOf(body);
  const others = comparison.compareJson(name, theirs, ours);
  return ours?.name === theirs?.name ? others : [`${name}: event ${ours?.name}`, ...others];
}

const isTerminal = ({ path = "" }: RecordedLine): boolean => path.includes("/pty?");

function openSocket({ path = "" }: RecordedLine): WebSocket {
  const url = `${server.url.replace("http", "ws")}${ids.translate(path)}`;
  return new WebSocket(url, { headers: server.admin.headers });
}

describe("a recorded socket", () => {
  const streams = upgrades.filter((record) => !isTerminal(record));

  it.each(streams.map((record) => [title(record), record] as const))(
    "%s opens and sends the same",
    async (_title, record) => {
      const wanted = messagesOf(records, record.id);
      const socket = openSocket(record);
      const ending = once(socket, "close");
      const ours: unknown[] = [];
      socket.on("message", (data: Buffer) => {
        ours.push(JSON.parse(data.toString()));
        // One message suffices of a stream that repeats itself while nothing changes.
        if (endOf(record).by === "client" && ours.length === kindsOf(wanted)) socket.close(1000);
      });
      const [code, reason] = await ending;
      expect([code, String(reason)]).toEqual(endOf(record).close);
      const name = nameRequest("WS", record.path ?? "");
      expect(comparison.compareJson(name, wanted.slice(0, ours.length), ours)).toEqual([]);
    },
  );

  // Deliberately different: the replayed agent does not join the network.
  it.each(upgrades.filter(isTerminal).map((record) => [title(record), record] as const))(
    "%s opens and ends with the reason",
    async (_title, record) => {
      const [code, reason] = (await terminalEnds.get(record.id)) ?? [];
      expect(code).toBe(1011);
      expect(String(reason)).toMatch(/^dial workspace agent: agent is unreachable: /);
    },
  );
});

/** Returns the side that closed a recorded socket, with code and reason. */
function endOf({ id }: RecordedLine) {
  const frame = records.find((one) => one.id === id && one.op === 8);
  const bytes = Buffer.from(frame?.hex ?? "", "hex");
  const by = frame?.dir === "c" ? "client" : "server";
  return { by, close: [bytes.readUInt16BE(), bytes.subarray(2).toString()] } as const;
}

/** Counts the kinds of messages, distinguished by `type`, if any. */
function kindsOf(messages: readonly unknown[]): number {
  return new Set(messages.map((message) => Object(message).type)).size;
}

it("the agent is as the recorded one was", async () => {
  const found = await server.admin.call(getAgent, { params: { agent: agent.id } });
  expect(found).toMatchObject({ status: "connected", lifecycle_state: "starting" });
});

it("answers are other only as listed", () => {
  expect(comparison.unseen()).toEqual([]);
});
