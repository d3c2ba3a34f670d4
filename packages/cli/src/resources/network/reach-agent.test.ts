import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";

import { silentLogger, systemClock } from "@slipway/runtime";
import { expect, it, onTestFinished } from "vitest";

import { memoryTerminal } from "../../../tests/support/memory-terminal.ts";
import { openClient } from "../../command/connect.ts";
import { openAgent } from "./reach-agent.ts";

const options = {
  autostart: false,
  wait: "no",
  disableDirect: true,
  isUsage: false,
  logger: silentLogger,
} as const;

it("requests the network's settings beside the workspace, and not any longer than that", async () => {
  const workspaceAsked = Promise.withResolvers<ServerResponse>();
  const settingsAsked = Promise.withResolvers<ServerResponse>();
  const server = createServer(({ url }, response) => {
    if (url === "/api/v2/workspaceagents/connection") settingsAsked.resolve(response);
    else workspaceAsked.resolve(response);
  });
  onTestFinished(() => void server.close());
  await once(server.listen(0, "127.0.0.1"), "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new TypeError("it has no port");
  const client = openClient(`http://127.0.0.1:${address.port}`, "token");
  const { signal } = new AbortController();
  const needs = { client, terminal: memoryTerminal(), clock: systemClock, signal };
  const opening = openAgent({ workspace: "demo", agent: undefined }, options, needs);
  // Neither is answered before both have come.
  const [workspace, unanswered] = await Promise.all([
    workspaceAsked.promise,
    settingsAsked.promise,
  ]);
  const given = once(unanswered, "close");
  workspace.writeHead(404, { "Content-Type": "application/json" }).end('{"message":"not there"}');
  await expect(opening).rejects.toThrow("workspace demo does not exist");
  await given;
  expect(unanswered.writableEnded).toBe(false);
});
