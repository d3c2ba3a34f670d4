import { randomUUID } from "node:crypto";

import { createWorkspace } from "@slipway/api/workspaces/routes";
import {
  openRawAgent,
  pushTemplate,
  type RawAgent,
  type RawReply,
  readAgentToken,
  waitForWorkspace,
} from "@slipway/testkit";
import { encodeUuid } from "@slipway/wire/bytes/uuid";
import type { DescMessage, MessageInitShape } from "@slipway/wire/protobuf/descriptors";
import { ScalarType } from "@slipway/wire/protobuf/descriptors";
import { Agent, Connection_Action, Connection_Type } from "@slipway/wire/protobuf/gen/agent_pb";
import { Tailnet } from "@slipway/wire/protobuf/gen/tailnet_pb";
import { encodeMessage, parseMessage } from "@slipway/wire/protobuf/message";
import { afterAll, beforeAll, describe, expect, inject, it, vi } from "vitest";

import {
  agentLimits,
  type FieldLimit,
  maxProtocolLength,
  maxProtocols,
  maxSubAgentAppText,
} from "../src/features/agents/calls/limits.ts";
import { writeBudgets } from "../src/features/agents/calls/write-budgets.ts";
import { openServer, type OpenServer } from "./support/open-server.ts";

/* Every field of an agent's requests that can be long or repeated has a limit, which the server enforces. */

const template = `driver: external
agents:
  main:
    os: linux
    arch: amd64
    apps:
      web: { url: http://localhost:80 }
    metadata:
      cpu: { run: "true", interval: 10s }
`;

/** RPCs whose requests are ignored. */
const unread = new Set(["PushContextState", "PostTelemetry", "RefreshResumeToken"]);
/** RPCs that only clients may call; `coordination.test.ts` covers them. */
const ofClients = new Set(["WorkspaceUpdates"]);

const methods = [...Agent.methods, ...Tailnet.methods].filter(({ name }) => !unread.has(name));

interface LimitedField {
  readonly method: (typeof methods)[number];
  /** The message and the name of the field. */
  readonly id: string;
  /** The path from the request to the field. */
  readonly steps: readonly DescMessage["fields"][number][];
}

/** Returns all strings, bytes, lists and maps in the requests, each once. */
function limitedFields(): readonly LimitedField[] {
  const found = new Map<string, LimitedField>();
  const visit = (
    method: LimitedField["method"],
    message: DescMessage,
    before: LimitedField["steps"],
  ): void => {
    if (message.typeName.startsWith("google.protobuf.")) return;
    for (const field of message.fields) {
      const id = `${message.typeName}.${field.name}`;
      const steps = [...before, field];
      const isText = field.scalar === ScalarType.STRING || field.scalar === ScalarType.BYTES;
      const isMany = field.fieldKind === "list" || field.fieldKind === "map";
      if ((isText || isMany) && !found.has(id)) found.set(id, { method, id, steps });
      if (field.message !== undefined && field.fieldKind !== "map") {
        visit(method, field.message, steps);
      }
    }
  };
  for (const method of methods) visit(method, method.input, []);
  return [...found.values()];
}

const limits: ReadonlyMap<string, FieldLimit> = new Map(
  Object.entries<Readonly<Record<string, FieldLimit>>>(agentLimits).flatMap(([message, fields]) =>
    Object.entries(fields).map(([field, limit]) => [`${message}.${field}`, limit] as const),
  ),
);

const fields = limitedFields();

const opened = new AsyncDisposableStack();
let server: OpenServer;
let agent: RawAgent;

beforeAll(async () => {
  server = opened.use(await openServer(inject("postgresUrl")));
  const templateId = await pushTemplate(server.admin, "outside", template);
  const body = { name: "dev", template_id: templateId };
  const { id } = await server.admin.call(createWorkspace, { params: { user: "me" }, body });
  await waitForWorkspace(server.admin, id, ({ latest_build: { job } }) => {
    return job.status === "succeeded";
  });
  const token = await readAgentToken(server.admin, id);
  agent = opened.use(await openRawAgent(server.url, token));
});

afterAll(() => opened.disposeAsync());

describe("the table of limits", () => {
  it("has an entry for every text, list and map of every request, and no other", () => {
    expect(new Set(limits.keys())).toEqual(new Set(fields.map(({ id }) => id)));
  });
});

/** Returns a request in which one field exceeds its limit. */
function requestBeyond({ method, steps }: LimitedField, value: unknown): Uint8Array {
  const init = steps.toReversed().reduce<unknown>((inner, field) => {
    const isMany = field.fieldKind === "list" && field !== steps.at(-1);
    const { oneof } = field;
    if (oneof !== undefined && !field.proto.proto3Optional) {
      return { [oneof.localName]: { case: field.localName, value: inner } };
    }
    return { [field.localName]: isMany ? [inner] : inner };
  }, value);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- built from this message's descriptor
  return encodeMessage(method.input, init as MessageInitShape<typeof method.input>);
}

/** Returns field values that are too many or too long. */
function valuesBeyond(field: LimitedField["steps"][number], limit: FieldLimit): readonly unknown[] {
  if (limit.over !== "refuse") return [];
  const { maxBytes = 0, maxCount = 0 } = limit;
  const long = "x".repeat(maxBytes + 1);
  const count = maxCount + 1;
  switch (field.fieldKind) {
    case "scalar":
      return [field.scalar === ScalarType.BYTES ? Buffer.from(long) : long];
    case "map": {
      const isNumbered = field.mapKey !== ScalarType.STRING;
      const value =
        field.mapKind === "scalar" && field.scalar === ScalarType.STRING ? "" : undefined;
      const none = value ?? (field.scalar === ScalarType.INT64 ? 1n : 1);
      const many = Array.from({ length: count }, (_, key) => [String(key), none]);
      return [Object.fromEntries(many), isNumbered ? { 1: long } : { [long]: none }];
    }
    case "list": {
      const one = field.listKind === "scalar" ? "" : field.listKind === "enum" ? 1 : {};
      const many = Array.from({ length: count }, () => one);
      return maxBytes === 0 ? [many] : [many, [long]];
    }
    case "enum":
    case "message":
      return [];
  }
}

const refused = fields.filter(
  ({ id, method }) => !ofClients.has(method.name) && limits.get(id)?.over === "refuse",
);

describe("a request that is beyond a limit", () => {
  it.each(refused)("is refused where the table says so: $id", async (field) => {
    const limit = limits.get(field.id);
    const last = field.steps.at(-1);
    if (limit === undefined || last === undefined) throw new Error("no limit");
    const values = valuesBeyond(last, limit);
    expect(values).not.toEqual([]);
    for (const value of values) {
      const reply = await agent.callBytes(field.method, requestBeyond(field, value));
      expect(reply).toMatchObject({ type: "error", message: expect.stringContaining(last.name) });
      expect(reply).toMatchObject({ message: expect.stringContaining("at most") });
    }
    expect(await agent.call(Agent.method.getManifest, {})).toMatchObject({ type: "message" });
  });

  it("leaves nothing behind", async () => {
    const { db } = server;
    const tables = [
      "workspace_agent_stats",
      "workspace_connections",
      "workspace_app_statuses",
    ] as const;
    for (const table of tables)
      expect(await db.selectFrom(table).selectAll().execute()).toEqual([]);
    expect(await db.selectFrom("workspace_agents").select("name").execute()).toEqual([
      { name: "main" },
    ]);
  });
});

interface StoredCase {
  readonly method: (typeof methods)[number];
  readonly request: (long: string) => object;
  /** Resolves to the stored value of the field. */
  readonly stored: () => Promise<string | null | undefined>;
}

const metadataCase = (column: "value" | "error"): StoredCase => ({
  method: Agent.method.batchUpdateMetadata,
  request: (long) => ({ metadata: [{ key: "cpu", result: { [column]: long } }] }),
  stored: () =>
    vi.waitFor(async () => {
      const query = server.db.selectFrom("workspace_agent_metadata").selectAll();
      const text = (await query.executeTakeFirstOrThrow())[column];
      expect(text).not.toBe("");
      return text;
    }, 10_000),
});

const boundaryCase = (request: (long: string) => object): StoredCase => ({
  method: Agent.method.reportBoundaryLogs,
  request,
  // Only in the server's log; boundary-logs.test.ts checks that.
  stored: async () => "",
});

/** A request for each string that is truncated. */
const cutCases: Readonly<Record<string, StoredCase>> = {
  "coder.agent.v2.WorkspaceAgentMetadata.Result.value": metadataCase("value"),
  "coder.agent.v2.WorkspaceAgentMetadata.Result.error": metadataCase("error"),
  "coder.agent.v2.Log.output": {
    method: Agent.method.batchCreateLogs,
    request: (long) => ({ logs: [{ output: long }] }),
    stored: async () => {
      const query = server.db.selectFrom("workspace_agent_logs").select("output");
      return (await query.executeTakeFirstOrThrow()).output;
    },
  },
  "coder.agent.v2.Connection.reason": {
    method: Agent.method.reportConnection,
    request: (reason) => ({
      connection: {
        id: encodeUuid(randomUUID()),
        action: Connection_Action.DISCONNECT,
        type: Connection_Type.SSH,
        reason,
      },
    }),
    stored: async () => {
      const query = server.db.selectFrom("workspace_connections").select("reason");
      return (await query.executeTakeFirstOrThrow()).reason;
    },
  },
  "coder.agent.v2.ReportBoundaryLogsRequest.session_id": boundaryCase((sessionId) => ({
    sessionId,
  })),
  "coder.agent.v2.ReportBoundaryLogsRequest.confined_process_name": boundaryCase(
    (confinedProcessName) => ({ confinedProcessName }),
  ),
  ...Object.fromEntries(
    (["method", "url", "matched_rule"] as const).map((name) => [
      `coder.agent.v2.BoundaryLog.HttpRequest.${name}`,
      boundaryCase((long) => ({
        logs: [
          {
            resource: {
              case: "httpRequest",
              value: { [name === "matched_rule" ? "matchedRule" : name]: long },
            },
          },
        ],
      })),
    ]),
  ),
};

describe("a text that is longer than is stored", () => {
  const cutFields = [...limits].flatMap(([id, limit]) =>
    limit.over === "cut" ? [[id, limit.kept] as const] : [],
  );

  it.each(cutFields)("is cut, and the request succeeds: %s", async (id, kept) => {
    const found = cutCases[id];
    if (found === undefined) throw new Error(`no request with a long ${id}`);
    const { method, request, stored } = found;
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written for this message above
    const input = request("x".repeat(kept + 1)) as MessageInitShape<typeof method.input>;
    expect(await agent.call(method, input)).toMatchObject({ type: "message" });
    expect((await stored())?.length).toBeLessThanOrEqual(kept);
  });

  it("of an app of a sub-agent makes that app be told of, and the others be stored", async () => {
    const long = (length: number): string => "x".repeat(length + 1);
    const { slug, command, display_name, group, icon, url } =
      agentLimits["coder.agent.v2.CreateSubAgentRequest.App"];
    const health = agentLimits["coder.agent.v2.CreateSubAgentRequest.App.Healthcheck"].url;
    const apps = [
      { slug: long(slug.kept) },
      { slug: "a", command: long(command.kept) },
      { slug: "b", displayName: long(display_name.kept) },
      { slug: "c", group: long(group.kept) },
      { slug: "d", icon: long(icon.kept) },
      { slug: "e", url: long(url.kept) },
      { slug: "f", healthcheck: { url: long(health.kept) } },
      { slug: "good" },
    ];
    const created = await createSubAgent({ name: "child", apps });
    expect(created.appCreationErrors.map(({ index }) => index)).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(await appsOf("child")).toEqual([expect.stringMatching(/-good$/)]);
  });

  it("of all apps of a sub-agent makes those beyond be told of", async () => {
    const command = "x".repeat(4_000);
    const apps = Array.from({ length: 8 }, (_, index) => ({ slug: `app${index}`, command }));
    const created = await createSubAgent({ name: "wordy", apps });
    const kept = Math.floor(maxSubAgentAppText / 4_050);
    expect(created.appCreationErrors).toHaveLength(apps.length - kept);
    expect(await appsOf("wordy")).toHaveLength(kept);
  });
});

async function createSubAgent(input: MessageInitShape<typeof Agent.method.createSubAgent.input>) {
  const reply = await agent.call(Agent.method.createSubAgent, input);
  if (reply.type !== "message") throw new Error(JSON.stringify(reply));
  return parseMessage(Agent.method.createSubAgent.output, reply.bytes);
}

async function appsOf(name: string): Promise<readonly string[]> {
  const rows = await server.db
    .selectFrom("workspace_apps as app")
    .innerJoin("workspace_agents as agent", "agent.id", "app.workspace_agent_id")
    .where("agent.name", "=", name)
    .select("app.slug")
    .execute();
  return rows.map(({ slug }) => slug);
}

describe("statistics", () => {
  it("name the first protocols, and count all others under one name", async () => {
    const names = Array.from({ length: 1_000 }, (_, index) => `p${index}`);
    const counts = names.map((name) => [name, 1n]);
    const connectionsByProto = Object.fromEntries([
      ["x".repeat(maxProtocolLength + 1), 5n],
      ...counts,
    ]);
    const stats = { connectionCount: 1n, connectionsByProto };
    expect(await agent.call(Agent.method.updateStats, { stats })).toMatchObject({
      type: "message",
    });
    const [row] = await server.db.selectFrom("workspace_agent_stats").select("stats").execute();
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- JSON that we wrote
    const kept = row?.stats as { readonly connections_by_proto: Readonly<Record<string, number>> };
    const { other = 0, ...named } = kept.connections_by_proto;
    expect(Object.keys(named).length).toBeLessThanOrEqual(maxProtocols);
    expect(other + Object.keys(named).length).toBe(1_005);
  });

  it("are stored at a rate, and answered beyond it", async () => {
    const stats = { connectionCount: 1n };
    for (let count = 0; count < 5 * writeBudgets.statistics.burst; count += 1) {
      expect(await agent.call(Agent.method.updateStats, { stats })).toMatchObject({
        type: "message",
      });
    }
    const rows = await server.db.selectFrom("workspace_agent_stats").select("id").execute();
    expect(rows.length).toBeLessThanOrEqual(writeBudgets.statistics.burst + 1);
  });
});

describe("an agent that never rests", () => {
  it("is refused reports beyond its rates, and stays connected", async () => {
    const report = () => ({
      connection: {
        id: encodeUuid(randomUUID()),
        action: Connection_Action.CONNECT,
        type: Connection_Type.SSH,
      },
    });
    const replies: RawReply[] = [];
    for (let count = 0; count < writeBudgets.connections.burst + 50; count += 1) {
      replies.push(await agent.call(Agent.method.reportConnection, report()));
    }
    expect(replies.filter(({ type }) => type === "error").length).toBeGreaterThanOrEqual(40);
    const rows = await server.db.selectFrom("workspace_connections").select("id").execute();
    expect(rows.length).toBeLessThanOrEqual(writeBudgets.connections.burst + 10);
    expect(await agent.call(Agent.method.getManifest, {})).toMatchObject({ type: "message" });
  });

  it("is refused statuses of its apps beyond their rate", async () => {
    const reply = () =>
      agent.call(Agent.method.updateAppStatus, { slug: "web", message: "working" });
    const replies: RawReply[] = [];
    for (let count = 0; count < writeBudgets.statuses.burst + 1; count += 1)
      replies.push(await reply());
    expect(replies.at(-1)).toEqual({
      type: "error",
      message: "unexpected status code 429: too many statuses in a short time",
    });
  });
});
