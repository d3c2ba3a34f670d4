import { mkdtemp, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

import {
  logInAsAdmin,
  makeWorkspace,
  pushTemplate,
  readAgentToken,
  startServerProcess,
} from "@slipway/testkit";
import { expect, it, onTestFinished } from "vitest";

const template = "driver: external\nagents:\n  main: { os: linux, arch: amd64 }\n";
const requests = 60;

it("drops readers that leave before the answer, and shuts down without waiting for them", async () => {
  const dataDir = await mkdtemp(join(tmpdir(), "slipway-gone-"));
  onTestFinished(() => rm(dataDir, { recursive: true, force: true }));
  const server = await startServerProcess({ dataDir, port: 0 });
  onTestFinished(() => server.end("SIGKILL"));
  const client = await logInAsAdmin(server.url);
  const templateId = await pushTemplate(client, "outside", template);
  const { id } = await makeWorkspace(client, "mine", templateId, () => true);
  const token = await readAgentToken(client, id);
  const session = client.headers["Coder-Session-Token"] ?? "";
  for (let count = 0; count < requests; count += 1) {
    // The server has reached a different point each time.
    const afterMs = count % 4;
    await leave(server.url, "/workspaceagents/me/reinit", token, afterMs);
    await leave(server.url, `/workspaces/${id}/watch`, session, afterMs);
  }
  await server.end("SIGINT");
  expect(server.output()).not.toMatch(/failed/);
});

/** Requests a long response, and resets the connection soon after. */
async function leave(url: string, path: string, token: string, afterMs: number): Promise<void> {
  const socket = connect(Number(new URL(url).port), "127.0.0.1");
  const closed = new Promise((resolve) => {
    socket.once("close", resolve);
  });
  socket.on("error", () => undefined);
  const head = `GET /api/v2${path} HTTP/1.1\r\nHost: here\r\nCoder-Session-Token: ${token}\r\n\r\n`;
  await new Promise((resolve) => {
    socket.write(head, resolve);
  });
  await pause(afterMs);
  socket.resetAndDestroy();
  await closed;
}
