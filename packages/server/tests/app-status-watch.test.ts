import type { WorkspaceAgent } from "@slipway/api/agents/agent";
import { getAgent } from "@slipway/api/agents/routes";
import { getWorkspace } from "@slipway/api/workspaces/routes";
import type { Workspace } from "@slipway/api/workspaces/workspace";
import { connectExternalAgent, makeWorkspace, pushTemplate } from "@slipway/testkit";
import { afterAll, beforeAll, expect, inject, it, onTestFinished } from "vitest";
import { WebSocket } from "ws";

import { appsTemplate } from "./support/apps-template.ts";
import { openServer, type OpenServer } from "./support/open-server.ts";
import { firstEventOf } from "./support/server-sent-events.ts";
import { type WireAnswer, wireRequest } from "./support/wire-request.ts";

/* The app statuses that watchers of a workspace see. */

const template = appsTemplate("external", {
  web: '{ display_name: Web, url: "http://localhost:8088" }',
});

const opened = new AsyncDisposableStack();
let server: OpenServer;
let workspace: Workspace;
let agentToken = "";

beforeAll(async () => {
  server = opened.use(await openServer(inject("postgresUrl")));
  const templateId = await pushTemplate(server.admin, "external", template);
  workspace = await makeWorkspace(server.admin, "dev", templateId, () => true);
  const agent = opened.adopt(
    await connectExternalAgent(server.admin, workspace.id, "main"),
    ({ connection }) => connection.close(),
  );
  agentToken = agent.token;
});
afterAll(() => opened.disposeAsync());

function report(state: string, message: string): Promise<WireAnswer> {
  return wireRequest("PATCH", `${server.url}/api/v2/workspaceagents/me/app-status`, {
    token: agentToken,
    body: { app_slug: "web", state, message, uri: "", icon: "" },
  });
}

/** Watches the workspace's events until the test ends; the result grows. */
async function watchEvents(): Promise<readonly string[]> {
  const end = new AbortController();
  onTestFinished(() => end.abort());
  const url = `${server.url}/api/v2/workspaces/${workspace.id}/watch`;
  const { body } = await fetch(url, { headers: server.admin.headers, signal: end.signal });
  const events: string[] = [];
  const read = async (): Promise<void> => {
    let text = "";
    for await (const chunk of body?.pipeThrough(new TextDecoderStream()) ?? []) {
      const parts = `${text}${chunk}`.split("\n\n");
      text = parts.pop() ?? "";
      events.push(...parts.map((part) => `${part}\n\n`));
    }
  };
  read().catch(() => undefined);
  await expect.poll(() => statuses(events).length).toBeGreaterThan(0);
  return events;
}

function agentOf({ latest_build: { resources } }: Workspace): WorkspaceAgent | undefined {
  return resources[0]?.agents?.[0];
}

/** Returns the newest status in each event, as state and message. */
function statuses(events: readonly string[]): readonly string[] {
  return events.flatMap((event) => {
    const data = firstEventOf(event)?.data;
    if (typeof data !== "object" || data === null) return [];
    const status: unknown = Reflect.get(data, "latest_app_status");
    if (typeof status !== "object" || status === null) return ["none"];
    return [`${Reflect.get(status, "state")}: ${Reflect.get(status, "message")}`];
  });
}

it("is each new status, as text of one line", async () => {
  const events = await watchEvents();
  expect(statuses(events)[0]).toBe("none");
  const hostile = "\u001b]0;title\u0007\u001b[2Jone\r\ntwo\u0000 <b>three</b> \u009b31m\u202e";
  expect(await report("working", hostile)).toMatchObject({ status: 200 });
  await expect.poll(() => statuses(events).at(-1)).toMatch(/^working: one two three/);
  // eslint-disable-next-line no-control-regex -- the test searches for control characters
  expect(events.at(-1)).not.toMatch(/\\u00[01]|[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
});

it("is the same over a WebSocket", async () => {
  const url = `${server.url.replace("http", "ws")}/api/v2/workspaces/${workspace.id}/watch-ws`;
  const socket = new WebSocket(url, { headers: server.admin.headers });
  onTestFinished(() => socket.terminate());
  const messages: string[] = [];
  socket.on("message", (data: Buffer) => messages.push(data.toString()));
  await expect.poll(() => messages.length).toBe(2);
  expect(await report("idle", "over a socket")).toMatchObject({ status: 200 });
  await expect.poll(() => messages.at(-1)).toContain('"message":"over a socket"');
});

it("is the last of many at once, in few events, and no more than its agent may report", async () => {
  const events = await watchEvents();
  const before = events.length;
  const answers: WireAnswer[] = [];
  // Far more than an agent's burst.
  for (let count = 0; count < 80; count += 1) answers.push(await report("working", `n${count}`));
  const taken = answers.flatMap(({ status }, index) => (status === 200 ? [index] : []));
  expect(taken.length).toBeGreaterThan(30);
  expect(answers.map(({ status }) => status)).toContain(429);
  await expect.poll(() => statuses(events).at(-1)).toBe(`working: n${taken.at(-1)}`);
  expect(events.length - before).toBeLessThanOrEqual(taken.length);
});

it("shows the newest ten of an app with its workspace, and all with its agent", async () => {
  const id = agentOf(workspace)?.id ?? "";
  const { apps } = await server.admin.call(getAgent, { params: { agent: id } });
  const all = apps[0]?.statuses ?? [];
  expect(all.length).toBeGreaterThan(30);
  const shown = await server.admin.call(getWorkspace, { params: { workspace: workspace.id } });
  expect(agentOf(shown)?.apps[0]?.statuses).toEqual(all.slice(0, 10));
  expect(shown.latest_app_status).toEqual(all[0]);
});

it("shows nothing to those who may not see the workspace", async () => {
  const path = `/workspaces/${workspace.id}/watch`;
  const answer = await fetch(`${server.url}/api/v2${path}`, { headers: {} });
  expect(answer.status).toBe(401);
});
