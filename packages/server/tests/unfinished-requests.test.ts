import { createWorkspace } from "@slipway/api/workspaces/routes";
import {
  openRawAgent,
  pushTemplate,
  type RawAgent,
  readAgentToken,
  waitForWorkspace,
} from "@slipway/testkit";
import { DrpcCaller } from "@slipway/wire/drpc/caller";
import { afterAll, beforeAll, expect, inject, it } from "vitest";

import { openServer, type OpenServer } from "./support/open-server.ts";

/* Incomplete requests of agents count toward all unfinished messages that a server holds. */

const template = `driver: external
agents:
  main: { os: linux, arch: amd64 }
`;
const maxBytes = 16 * 1024 * 1024;
/** The number of request bytes that are sent: a session may hold two such requests. */
const sentBytes = 3_500_000;

let server: OpenServer;
let token: string;

beforeAll(async () => {
  const limits = { SLIPWAY_MAX_UNFINISHED_BYTES: String(maxBytes) };
  server = await openServer(inject("postgresUrl"), limits);
  const templateId = await pushTemplate(server.admin, "external", template);
  const body = { name: "main", template_id: templateId };
  const { id } = await server.admin.call(createWorkspace, { params: { user: "me" }, body });
  await waitForWorkspace(server.admin, id, ({ latest_build: { job } }) => {
    return job.status === "succeeded";
  });
  token = await readAgentToken(server.admin, id);
});

afterAll(() => server[Symbol.asyncDispose]());

/** Sends the beginning of a request; returns its stream. */
function beginRequest(agent: RawAgent): number {
  const { yamux } = agent;
  const caller = new DrpcCaller();
  const stream = yamux.open(0);
  yamux.write(stream, caller.invoke("/coder.agent.v2.Agent/BatchCreateLogs"));
  yamux.write(stream, caller.message(new Uint8Array(sentBytes + 1)).subarray(0, sentBytes));
  agent.flush();
  return stream;
}

it("resets the oldest of the requests that are too many bytes together, of all sessions", async () => {
  await using opened = new AsyncDisposableStack();
  const agents: RawAgent[] = [];
  for (let count = 0; count < 3; count += 1) {
    agents.push(opened.use(await openRawAgent(server.url, token, { role: "test" })));
  }
  const [first] = agents;
  if (first === undefined) throw new Error("no agent");
  const oldest = beginRequest(first);
  await first.until(() => first.yamux.totalQueuedBytes === 0);
  for (const agent of [first, ...agents.slice(1), ...agents.slice(1)]) beginRequest(agent);
  await first.until((events) =>
    events.some((event) => event.type === "reset" && event.streamId === oldest),
  );
  expect(first.socket.readyState).toBe(first.socket.OPEN);
});
