import { once } from "node:events";
import { connect, type Socket } from "node:net";

import { silentLogger, systemClock } from "@slipway/runtime";
import { encodeSpeedtestRequest } from "@slipway/wire/services/speedtest";
import type { SpeedtestRequest } from "@slipway/wire/services/speedtest";
import { expect, it, onTestFinished } from "vitest";

import { listenOnLoopback } from "../../tests/support/loopback-service.ts";
import { createSpeedtestService, maxSpeedtests } from "./serve-speedtest.ts";

async function connectToService(): Promise<() => Socket> {
  const stopping = new AbortController();
  onTestFinished(() => stopping.abort());
  const options = { clock: systemClock, logger: silentLogger, signal: stopping.signal };
  const port = await listenOnLoopback(createSpeedtestService(options));
  return () => connect({ host: "127.0.0.1", port });
}

async function askFor(socket: Socket, request: SpeedtestRequest): Promise<void> {
  socket.write(encodeSpeedtestRequest(request));
  await once(socket, "readable");
}

async function receivedBytes(socket: Socket): Promise<number> {
  let bytes = 0;
  for await (const chunk of socket) bytes += Buffer.byteLength(chunk);
  return bytes;
}

it("sends blocks for the time that was asked for, then ends", async () => {
  const open = await connectToService();
  const socket = open();
  socket.write(encodeSpeedtestRequest({ direction: "download", durationMs: 100 }));
  const started = systemClock.monotonic();
  expect(await receivedBytes(socket)).toBeGreaterThan(2 * 1024 * 1024);
  expect(systemClock.monotonic() - started).toBeGreaterThan(99);
});

it("reads what a client uploads", async () => {
  const open = await connectToService();
  const socket = open();
  await askFor(socket, { direction: "upload", durationMs: 1000 });
  expect(String(socket.read())).toBe("{}\n");
  socket.resume();
  socket.end(Buffer.alloc(10_000_000));
  await once(socket, "close");
  expect(socket.bytesWritten).toBeGreaterThan(10_000_000);
});

it.each([
  ['{"version":1}\n', "version 1, wanted 2"],
  ["x".repeat(2000), "wanted at most 1024"],
])("answers %j with the reason, and closes", async (line, reason) => {
  const open = await connectToService();
  const socket = open();
  socket.write(line);
  let answer = "";
  for await (const chunk of socket) answer += String(chunk);
  expect(JSON.parse(answer)).toEqual({ error: expect.stringContaining(reason) });
});

it("refuses more tests than may run, and takes others once some have ended", async () => {
  const open = await connectToService();
  const sockets = Array.from({ length: maxSpeedtests }, open);
  const upload = { direction: "upload", durationMs: 60_000 } as const;
  await Promise.all(sockets.map((socket) => askFor(socket, upload)));
  const refused = open();
  await askFor(refused, upload);
  expect(String(refused.read())).toContain("too many");
  refused.destroy();
  for (const socket of sockets) socket.destroy();
  await expect
    .poll(async () => {
      const next = open();
      await askFor(next, upload);
      const answer = String(next.read());
      next.destroy();
      return answer;
    })
    .toBe("{}\n");
});
