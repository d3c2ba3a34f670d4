import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { chmod } from "node:fs/promises";
import { type IncomingMessage, request } from "node:http";
import { join } from "node:path";

import { readFile } from "@slipway/api/agents/file-routes";
import { silentLogger, systemClock } from "@slipway/runtime";
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
    const query = { path: join(folder, "file") };
    const url = client.url(readFile, { params: { agent: agentId }, query });
    const file: MeasuredFile = { url, headers: client.headers };
    const bytes = options.megabytes * 1e6;
    const [down, up, read, written]: number[][] = [[], [], [], []];
    for (let run = 0; run < options.runs; run += 1) {
      down?.push(await tunnelSpeed(client, agentId, "download"));
      up?.push(await tunnelSpeed(client, agentId, "upload"));
      written?.push(await speedOf(bytes, () => write(file, bytes)));
      read?.push(await speedOf(bytes, () => readAll(file, bytes)));
    }
    for (const [name, speeds] of Object.entries({ down, up, read, written })) {
      findings.note(names[name] ?? name, "MB/s", ...(speeds ?? []));
    }
    findings.require(Math.max(...(read ?? [])) >= leastShare * Math.max(...(down ?? [])));
    findings.require(Math.max(...(written ?? [])) >= leastShare * Math.max(...(up ?? [])));
  },
});

interface MeasuredFile {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

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
  const test = { direction, durationMs: speedtestMs };
  const onInterval = (): void => undefined;
  const { bytes, startMs, endMs } = await runSpeedtest(stream, test, { ...needs, onInterval });
  return bytes / 1000 / (endMs - startMs);
}

async function speedOf(bytes: number, move: () => Promise<void>): Promise<number> {
  const beganAt = performance.now();
  await move();
  return bytes / 1000 / (performance.now() - beganAt);
}

async function write(file: MeasuredFile, bytes: number): Promise<void> {
  const sent = request(file.url, {
    method: "PUT",
    headers: { ...file.headers, "content-length": String(bytes) },
  });
  const answered = once(sent, "response");
  const chunk = randomBytes(chunkBytes);
  for (let left = bytes; left > 0; left -= chunkBytes) {
    if (!sent.write(chunk.subarray(0, Math.min(chunkBytes, left)))) await once(sent, "drain");
  }
  sent.end();
  const [response] = await answered;
  await receive(response);
}

async function readAll(file: MeasuredFile, bytes: number): Promise<void> {
  const [response] = await once(request(file.url, { headers: file.headers }).end(), "response");
  const received = await receive(response);
  if (received !== bytes) throw new Error(`read ${received} bytes, wanted ${bytes}`);
}

async function receive(response: IncomingMessage): Promise<number> {
  let bytes = 0;
  for await (const chunk of response) bytes += chunk.length;
  if (response.statusCode !== 200) throw new Error(`the server answered ${response.statusCode}`);
  return bytes;
}
