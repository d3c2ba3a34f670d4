import { createServer } from "node:http";

import { createFakeClock, openLocalServer } from "@slipway/testkit";
import { expect, it, onTestFinished } from "vitest";
import { WebSocketServer } from "ws";

import { ApiClient, type CreateSocket } from "../http/client.ts";
import { createWebSocket } from "../stream/socket.ts";
import { followRun } from "./follow-run.ts";
import { InputSender } from "./input-sender.ts";
import { RunTarget } from "./run-target.ts";

it("throws the reason of a signal that is aborted while a connection is made", async () => {
  const http = createServer((_request, response) => response.end("{}"));
  // A run that prints nothing.
  const sockets = new WebSocketServer({ server: http });
  onTestFinished(() => sockets.close());
  await using server = await openLocalServer(http);
  const controller = new AbortController();
  const createSocket: CreateSocket = (url, headers) => {
    controller.abort(new Error("enough"));
    return createWebSocket(url, headers);
  };
  const client = new ApiClient({ serverUrl: server.url, token: "t", createSocket });
  const parts = followRun({
    target: new RunTarget({ client, agentId: "a", clock: createFakeClock() }),
    runId: "r",
    instanceId: undefined,
    after: 0,
    controls: { input: new InputSender(), size: undefined, socket: undefined },
    signal: controller.signal,
  });
  await expect(parts.next()).rejects.toThrow("enough");
});
