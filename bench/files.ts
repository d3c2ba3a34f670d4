import { randomBytes } from "node:crypto";
import { chmod } from "node:fs/promises";
import { join } from "node:path";

import { silentLogger, systemClock } from "@slipway/runtime";
import { Files } from "@slipway/sdk/files";
import type { ApiClient } from "@slipway/sdk/http";
import { connectWorkspace, runSpeedtest, toDuplex } from "@slipway/sdk/workspace";
import { makeWorkspace, pushTemplate, requireAgent } from "@slipway/testkit";

import { defineBenchmark } from "./benchmark.ts";
import { openDirectory, openOurServer } from "./support/our-server.ts";

/*
 * Reading and writing a file of a workspace on this machine through the server, beside the tunnel of a client that is a
 * peer itself, in turns.
 *
 *   npm run bench:files [-- --megabytes=200] [--runs=3] [--json]
 *
 * Exits with 1 when a read or a write reaches less than 60 % of the tunnel.
 */

const leastShare = 0.6;
const speedtestMs = 3_000;
const speedtestPort = 3;
const chunkBytes = 256 * 1024;
const template = "driver: process\nagents: { main: { os: linux, arch: amd64 } }\n";

export const benchmark = defineBenchmark({
  title: "Files of a workspace",
  options: { megabytes: 200, runs: 3 },
  measure: async ({ opened, options, findings }) => {
    const { client } = await openOurServer(opened);
    const folder = await openDirectory(opened);
    // The agent may run as another user.
    await chmod(folder, 0o777);
    const templateId = await pushTemplate(client, "files", template);
    const isConnected = ({ status }: { readonly status: string }): boolean =>
      status === "connected";
    const agentId = requireAgent(await makeWorkspace(client, "dev", templateId, isConnected)).id;
    const files = new Files(client, agentId);
    const bytes = options.megabytes * 1e6;
    const [down, up, read, written]: number[][] = [[], [], [], []];
    for (let run = 0; run < options.runs; run += 1) {
      down?.push(await tunnelSpeed(client, agentId, "download"));
      up?.push(await tunnelSpeed(client, agentId, "upload"));
      written?.push(await speedOf(bytes, () => write(files, join(folder, "file"), bytes)));
      read?.push(await speedOf(bytes, () => readAll(files, join(folder, "file"), bytes)));
    }
    for (const [name, speeds] of Object.entries({ down, up, read, written })) {
      findings.note(names[name] ?? name, "MB/s", ...(speeds ?? []));
    }
    findings.require(Math.max(...(read ?? [])) >= leastShare * Math.max(...(down ?? [])));
    findings.require(Math.max(...(written ?? [])) >= leastShare * Math.max(...(up ?? [])));
  },
});

const names: Readonly<Record<string, string>> = {
  down: "the tunnel, from the workspace",
  up: "the tunnel, to the workspace",
  read: "a file that is read",
  written: "a file that is written",
};

async function tunnelSpeed(
  client: ApiClient,
  agentId: string,
  direction: "download" | "upload",
): Promise<number> {
  const { signal } = new AbortController();
  const needs = { clock: systemClock, logger: silentLogger, signal };
  await using connection = await connectWorkspace({
    client,
    agentId,
    disableDirect: false,
    onPackets: undefined,
    ...needs,
  });
  const stream = toDuplex(await connection.dial(speedtestPort, signal));
  const request = { direction, durationMs: speedtestMs };
  const onInterval = (): void => undefined;
  const { bytes, startMs, endMs } = await runSpeedtest(stream, request, { ...needs, onInterval });
  return bytes / 1000 / (endMs - startMs);
}

async function speedOf(bytes: number, move: () => Promise<void>): Promise<number> {
  const beganAt = performance.now();
  await move();
  return bytes / 1000 / (performance.now() - beganAt);
}

async function write(files: Files, path: string, bytes: number): Promise<void> {
  const chunk = randomBytes(chunkBytes);
  async function* content(): AsyncGenerator<Uint8Array> {
    for (let sent = 0; sent < bytes; sent += chunkBytes) {
      yield chunk.subarray(0, Math.min(chunkBytes, bytes - sent));
    }
  }
  await files.write(path, content());
}

async function readAll(files: Files, path: string, bytes: number): Promise<void> {
  const { content } = await files.open(path);
  let received = 0;
  for await (const chunk of content) received += chunk.length;
  if (received !== bytes) throw new Error(`read ${received} bytes, wanted ${bytes}`);
}
