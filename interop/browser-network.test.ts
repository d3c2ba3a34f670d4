import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { getWorkspace } from "@slipway/api/workspaces/routes";
import {
  logInAsAdmin,
  pushTemplate,
  startAgentProcess,
  startServerProcess,
} from "@slipway/testkit";
import { afterAll, expect, it } from "vitest";

import { openBrowserPage } from "./support/browser-page.ts";
import { openEchoService } from "./support/echo-service.ts";
import { makeExternalWorkspace } from "./support/external-workspace.ts";

/* A page in a browser as a network peer: everything but the sockets runs there, over WebSockets to the relay. */

const template = `
driver: external
agents:
  main: { os: linux, arch: amd64 }
`;

const opened = new AsyncDisposableStack();
afterAll(() => opened.disposeAsync());

it("reaches a workspace from a page, encrypted to its end", async () => {
  const directory = await mkdtemp(join(tmpdir(), "slipway-browser-"));
  opened.defer(() => rm(directory, { recursive: true, force: true }));
  const server = await startServerProcess({ dataDir: directory, port: 0 });
  opened.defer(() => server.end("SIGINT"));
  const client = await logInAsAdmin(server.url);
  const templateId = await pushTemplate(client, "network", template);
  const { id, token } = await makeExternalWorkspace(client, templateId, "browser");
  const workspace = await client.call(getWorkspace, { params: { workspace: id } });
  const agents = workspace.latest_build.resources.flatMap((resource) => resource.agents ?? []);
  const place = { serverUrl: server.url, token, home: join(directory, "agent") };
  const agent = await startAgentProcess(place);
  opened.defer(() => void agent.kill("SIGKILL"));
  const echo = opened.use(await openEchoService());

  const session = client.headers["Coder-Session-Token"] ?? "";
  const { page } = opened.use(
    await openBrowserPage(server.url, session, "interop/support/browser-client.ts"),
  );
  const order = {
    serverUrl: server.url,
    agentId: agents[0]?.id ?? "",
    port: echo.port,
    bytes: 5_000_000,
  };
  await page.waitForFunction("globalThis.echo !== undefined");
  expect(await page.evaluate(`echo(${JSON.stringify(order)})`)).toEqual({
    path: "relay",
    isSame: true,
  });
});
