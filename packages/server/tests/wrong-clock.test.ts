import { getWorkspace } from "@slipway/api/workspaces/routes";
import { systemClock } from "@slipway/runtime";
import {
  connectExternalAgent,
  makeWorkspace,
  openClient,
  pushTemplate,
  requireAgent,
} from "@slipway/testkit";
import { afterAll, beforeAll, expect, inject, it } from "vitest";

import { openReplica, openServer, type OpenServer } from "./support/open-server.ts";

const template = `
driver: external
agents:
  main: { os: linux, arch: amd64 }
`;
const dayMs = 24 * 3600 * 1000;

let opened: AsyncDisposableStack;
let server: OpenServer;
let workspace: string;

beforeAll(async () => {
  opened = new AsyncDisposableStack();
  server = opened.use(await openServer(inject("postgresUrl")));
  const templateId = await pushTemplate(server.admin, "boxes", template);
  ({ id: workspace } = await makeWorkspace(server.admin, "dev", templateId, () => true));
  const { connection } = await connectExternalAgent(server.admin, workspace, "main");
  opened.defer(() => connection.close());
});

afterAll(() => opened.disposeAsync());

it.each([dayMs, -dayMs])(
  "reports a connected agent as connected with a clock %i ms ahead",
  async (aheadMs) => {
    const clock = { ...systemClock, now: () => systemClock.now() + aheadMs };
    await using replica = await openReplica(server, {}, clock);
    const client = openClient(replica.url, server.admin.headers["Coder-Session-Token"]);
    const params = { workspace };
    const seen = await client.call(getWorkspace, { params });
    expect(requireAgent(seen).status).toBe("connected");
    expect(seen.health.healthy).toBe(true);
  },
);
