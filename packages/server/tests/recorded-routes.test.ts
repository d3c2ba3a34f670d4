import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { getAgent } from "@slipway/api";
import {
  connectExternalAgent,
  type ExternalAgent,
  firstAgent,
  makeWorkspace,
  pushTemplate,
  waitForWorkspace,
} from "@slipway/testkit";
import { Agent, Lifecycle_State } from "@slipway/wire";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { WebSocket } from "ws";

import { shapeDifferences } from "./support/json-shape.ts";
import { openServer, type OpenServer } from "./support/open-server.ts";
import { wireRequest } from "./support/wire-request.ts";

/*
 * What a stock server answered on the routes around agents, asked of ours: the same status, every recorded key with
 * the same type of JSON, and the same message of an error.
 */

/** Where we answer otherwise on purpose. `lost`: recorded keys that our answer does not have, with dots between. */
interface Deliberate {
  /** Id of the record; the request is told for readers. */
  readonly record: number;
  readonly request: string;
  readonly reason: string;
  readonly status?: number;
  readonly lost?: readonly string[];
  readonly message?: string;
}

const noNetwork = "the server has no network to its agents yet";
const deliberate: readonly Deliberate[] = [
  { record: 7, request: "GET /workspaceagents/AGENT", reason: noNetwork, lost: ["latency"] },
  {
    record: 12,
    request: "GET /workspaceagents/AGENT/connection",
    reason: noNetwork,
    lost: ["derp_map.Regions.999"],
  },
  {
    record: 13,
    request: "GET /workspaceagents/connection",
    reason: noNetwork,
    lost: ["derp_map.Regions.999"],
  },
  {
    record: 17,
    request: "GET /workspaceagents/AGENT/listening-ports",
    reason: noNetwork,
    status: 500,
    lost: ["ports"],
  },
  {
    record: 32,
    request: "GET /workspaceagents/me/gitauth?url=https://github.com/a/b",
    reason: "the recorded server had a provider for GitHub, ours has none",
    status: 404,
    lost: ["access_token", "token_extra", "url", "type", "expires_at", "username", "password"],
  },
  {
    record: 34,
    request: "GET /workspaceagents/me/external-auth?id=github",
    reason: "the recorded server had a provider for GitHub, ours has none",
    status: 404,
    lost: ["access_token", "token_extra", "url", "type", "expires_at", "username", "password"],
  },
  {
    record: 35,
    request: "GET /workspaceagents/me/external-auth?match=https://github.com/a/b",
    reason: "the recorded server had a provider for GitHub, ours has none",
    status: 404,
    lost: ["access_token", "token_extra", "url", "type", "expires_at", "username", "password"],
  },
  {
    record: 14,
    request: "GET /workspaceagents/AGENT/containers",
    reason: noNetwork,
    message: "Internal error dialing workspace agent.",
  },
];

interface Recorded {
  readonly id: number;
  readonly kind: "http" | "upgrade" | "ws" | "close";
  readonly method?: string;
  readonly path?: string;
  readonly request_headers?: Readonly<Record<string, string>>;
  readonly request_body?: string;
  readonly status?: number;
  readonly response_headers?: Readonly<Record<string, string>>;
  readonly response_body?: string;
  readonly dir?: "c" | "s";
  readonly hex?: string;
}

const recordedAgent = "98ed5cad-6428-4157-b092-eaf02cfa1fec";
const recordedAgentToken = /^30d12598-/;
const isAboutAgents = /^\/api\/v2\/(workspaceagents\b|derp-map$|tailnet$)/;
/** Streams that end only with the client: the first message is compared. */
const isStream = /\/(watch-metadata)$/;

const shared =
  process.env["SLIPWAY_SHARED"] ?? fileURLToPath(new URL("../../../../shared", import.meta.url));
const file = await readFile(join(shared, "recordings/routes.jsonl"), "utf8");
const records = file
  .trim()
  .split("\n")
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the form of the recordings is told by their README
  .map((line) => JSON.parse(line) as Recorded);
const asked = records.filter(({ path }) => path !== undefined && isAboutAgents.test(path));
const requests = asked.filter(({ kind }) => kind === "http");
const upgrades = asked.filter(({ kind }) => kind === "upgrade");

const template = `
driver: external
agents:
  main:
    os: linux
    arch: amd64
    directory: /tmp
    env: { FOO: bar }
    scripts:
      hello: { display_name: hello, run_on: [start], run: echo hello from start }
      bye: { display_name: bye, run_on: [stop], run: echo bye }
    metadata:
      a: { display_name: A, interval: 10s, timeout: 5s, run: echo 1 }
      b: { display_name: B, interval: 10s, timeout: 5s, run: echo 2 }
    apps:
      web:
        display_name: Web
        url: http://localhost:8088
        health: { url: "http://localhost:8088/", interval: 5s, threshold: 3 }
`;

const opened = new AsyncDisposableStack();
let server: OpenServer;
let agentId: string;
let agentToken: string;

beforeAll(async () => {
  server = opened.use(await openServer(inject("postgresUrl")));
  const client = server.admin;
  const templateId = await pushTemplate(client, "external", template);
  const { id: workspaceId } = await makeWorkspace(client, "dev", templateId, () => true);
  const connect = (): Promise<ExternalAgent> => connectExternalAgent(client, workspaceId, "main");
  // The recorded agent had been disconnected once.
  await (await connect()).connection.close();
  await waitForWorkspace(client, workspaceId, (workspace) => {
    return firstAgent(workspace)?.status === "disconnected";
  });
  const { token, connection } = opened.adopt(await connect(), (agent) => agent.connection.close());
  const workspace = await waitForWorkspace(client, workspaceId, (found) => {
    return firstAgent(found)?.status === "connected";
  });
  agentId = firstAgent(workspace)?.id ?? "";
  agentToken = token;
  const { signal } = new AbortController();
  const { updateStartup, updateLifecycle, batchUpdateMetadata } = Agent.method;
  const startup = { version: "v0.0.0-devel", expandedDirectory: "/tmp" };
  await connection.unary(updateStartup, { startup }, signal);
  const lifecycle = { state: Lifecycle_State.STARTING };
  await connection.unary(updateLifecycle, { lifecycle }, signal);
  const metadata = ["a", "b"].map((key) => ({ key, result: { value: "1" } }));
  await connection.unary(batchUpdateMetadata, { metadata }, signal);
});

afterAll(() => opened.disposeAsync());

/** The recorded request with the ids and tokens of our server; `name` is what the table above calls it. */
function translate({ method = "GET", path = "", request_headers: headers = {} }: Recorded) {
  const relative = path.replace("/api/v2", "");
  const recordedToken = headers["coder-session-token"];
  const isAgent = recordedAgentToken.test(recordedToken ?? "");
  const isUser = /^\w{10}-\w{22}$/.test(recordedToken ?? "");
  const ofUser = server.admin.headers["Coder-Session-Token"];
  return {
    name: `${method} ${relative.replace(recordedAgent, "AGENT")}`,
    method,
    path: path.replace(recordedAgent, agentId),
    token: isAgent ? agentToken : isUser ? ofUser : recordedToken,
  };
}

function differenceOf({ id }: Recorded): Deliberate | undefined {
  return deliberate.find(({ record }) => record === id);
}

const title = ({ id, method = "WS", path }: Recorded): string => `${id} ${method} ${path}`;

describe("a recorded request", () => {
  test.each(requests.map((record) => [title(record), record] as const))(
    "%s is answered in the same shape",
    async (_title, record) => {
      const { method, path, token } = translate(record);
      const { status = record.status, lost = [] } = differenceOf(record) ?? {};
      if (isStream.test(path)) return expectFirstEvent(record, path);
      const url = `${server.url}${path}`;
      const answer = await wireRequest(method, url, { token, raw: record.request_body });
      expect(answer.status, answer.text).toBe(status);
      const found = isJson(record) ? shapeDifferences(bodyOf(record), answer.body) : [];
      // Not less, and not more either: what is not lost any more goes from the list.
      expect(found.map((one) => one.path).toSorted()).toEqual(lost.toSorted());
      const recorded = isJson(record) ? messageOf(bodyOf(record)) : undefined;
      const wanted = differenceOf(record)?.message ?? recorded ?? messageOf(answer.body);
      expect(messageOf(answer.body)).toBe(wanted);
    },
  );
});

function messageOf(body: unknown): unknown {
  return typeof body === "object" && body !== null && "message" in body ? body.message : undefined;
}

function isJson(record: Recorded): boolean {
  return record.response_headers?.["content-type"]?.startsWith("application/json") ?? false;
}

function bodyOf(record: Recorded): unknown {
  return JSON.parse(record.response_body ?? "null");
}

async function expectFirstEvent(record: Recorded, path: string): Promise<void> {
  const abort = new AbortController();
  const headers = server.admin.headers;
  const response = await fetch(`${server.url}${path}`, { headers, signal: abort.signal });
  expect(response.status).toBe(record.status);
  expect(response.headers.get("content-type")).toBe("text/event-stream");
  let text = "";
  const decoder = new TextDecoder();
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    if (firstEvent(text) !== undefined) break;
  }
  abort.abort();
  const [recorded, ours] = [firstEvent(record.response_body ?? ""), firstEvent(text)];
  expect(ours?.name).toBe(recorded?.name);
  expect(shapeDifferences(recorded?.data, ours?.data)).toEqual([]);
}

function firstEvent(text: string): { readonly name: string; readonly data: unknown } | undefined {
  const [, name, data] = /^event: (\w+)\ndata: (.*)\n\n/.exec(text) ?? [];
  return name === undefined || data === undefined ? undefined : { name, data: JSON.parse(data) };
}

const isTerminal = ({ path = "" }: Recorded): boolean => path.includes("/pty?");

function openSocket(record: Recorded): WebSocket {
  const url = `${server.url.replace("http", "ws")}${translate(record).path}`;
  return new WebSocket(url, { headers: server.admin.headers });
}

describe("a recorded socket", () => {
  const streams = upgrades.filter((record) => !isTerminal(record));

  test.each(streams.map((record) => [title(record), record] as const))(
    "%s opens and sends the same",
    async (_title, record) => {
      const socket = openSocket(record);
      const ending = once(socket, "close");
      const [message] = await once(socket, "message");
      socket.close(1000);
      await ending;
      const first = records.find(({ id, kind, dir }) => {
        return id === record.id && kind === "ws" && dir === "s";
      });
      const recorded: unknown = JSON.parse(Buffer.from(first?.hex ?? "", "hex").toString());
      expect(shapeDifferences(recorded, JSON.parse(String(message)))).toEqual([]);
    },
  );

  // Deliberately other: a terminal needs the network to agents, which is not there yet.
  test.each(upgrades.filter(isTerminal).map((record) => [title(record), record] as const))(
    "%s opens and ends with the reason",
    async (_title, record) => {
      const [code, reason] = await once(openSocket(record), "close");
      expect(code).toBe(1011);
      expect(String(reason)).toMatch(/^dial workspace agent: agent is unreachable: /);
    },
  );
});

test("every deliberate difference is of a recorded request", () => {
  const names = new Map(requests.map((record) => [record.id, translate(record).name]));
  for (const { record, request } of deliberate) expect(names.get(record)).toBe(request);
});

test("the agent is as the recorded one was", async () => {
  const agent = await server.admin.call(getAgent, { params: { agent: agentId } });
  expect(agent).toMatchObject({ status: "connected", lifecycle_state: "starting" });
});
