import { createHash } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Duplex } from "node:stream";

import { openLocalServer } from "@slipway/testkit";
import { expect, onTestFinished } from "vitest";

import { type EndedCommand, runCommandProcess } from "./command-process.ts";
import { sampleAgent, sampleBuild, sampleWorkspace } from "./sample-workspace.ts";

/** Sequences that clear a screen, write to the clipboard and make a terminal type; without line ends. */
const steering = "\u001b[2J\u001b]52;c;ZXZpbA==\u0007\u001b[6n\u009b2J\r\u202e";
const harmless = /^(?:[^\p{Cc}\u2028-\u202e\u2066-\u2069]|[\n\t])*$/u;
const mebibyte = 1024 * 1024;
/** The command itself needs about 100 MiB; it keeps at most 64 MiB of a response, twice while it is joined. */
const maxMemory = 420 * mebibyte;

export interface Tricks {
  /** Answers a request; by default with a workspace. */
  readonly answer?: (response: ServerResponse, path: string, request: IncomingMessage) => void;
  /** If false, requests for WebSockets get no response. */
  readonly opensSockets?: boolean;
  /** True once a WebSocket was accepted. */
  readonly socket?: (socket: Duplex, path: string) => void;
  /** The command's heap in MiB (default: that of Node.js). The command is killed when it needs more. */
  readonly heapMebibytes?: number;
}

/** A server that attacks the commands run against it. */
interface HostileServer {
  readonly run: (line: string, act?: RunOptions["onStart"]) => Promise<EndedCommand>;
}
type RunOptions = Parameters<typeof runCommandProcess>[1];

/** Opens a server for a test. */
export async function openHostileServer({
  answer = honest,
  opensSockets = true,
  socket,
  heapMebibytes,
}: Tricks): Promise<HostileServer> {
  const http = createServer((request, response) => {
    response.on("error", () => undefined);
    answer(response, pathOf(request), request);
  });
  http.on("upgrade", (request, stream) => {
    stream.on("error", () => undefined);
    if (!opensSockets) return;
    const key = request.headers["sec-websocket-key"] ?? "";
    const accept = createHash("sha1")
      .update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
      .digest("base64");
    stream.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
    );
    socket?.(stream, pathOf(request));
  });
  const server = await openLocalServer(http);
  onTestFinished(() => server[Symbol.asyncDispose]());
  const directory = await mkdtemp(join(tmpdir(), "slipway-hostile-"));
  onTestFinished(() => rm(directory, { recursive: true }));
  const environment = {
    CODER_CONFIG_DIR: directory,
    CODER_URL: server.url,
    CODER_SESSION_TOKEN: "t",
    HOME: directory,
    ...(heapMebibytes === undefined
      ? {}
      : { NODE_OPTIONS: `--max-old-space-size=${heapMebibytes}` }),
  };
  return {
    run: (line, onStart) =>
      runCommandProcess(line.split(" "), {
        environment,
        ...(onStart === undefined ? {} : { onStart }),
      }),
  };
}

function pathOf({ url = "" }: IncomingMessage): string {
  return (url.split("?")[0] ?? "").replace("/api/v2", "");
}

/** Responds like a server with one workspace. */
export function honest(response: ServerResponse, path: string): void {
  const build = {
    ...sampleBuild,
    resources: [{ id: sampleWorkspace.id, name: "r", type: "t", agents: [sampleAgent] }],
  };
  const workspace = { ...sampleWorkspace, latest_build: build };
  const answers = new Map<string, unknown>([
    ["/workspaces", { workspaces: [workspace], count: 1 }],
    ["/users/me/workspace/demo", workspace],
    [`/workspacebuilds/${build.id}`, build],
    [`/workspaces/${workspace.id}`, workspace],
    [`/workspacebuilds/${build.id}/logs`, []],
    [`/workspacebuilds/${build.id}/parameters`, []],
    [`/workspaceagents/${sampleAgent.id}/logs`, []],
    [`/workspaceagents/${sampleAgent.id}/connection`, { derp_map: { Regions: {} } }],
  ]);
  const found = answers.get(path);
  response.writeHead(found === undefined ? 404 : 200, { "Content-Type": "application/json" });
  response.end(JSON.stringify(found ?? { message: "Not here." }));
}

/** Writes a text repeatedly, as fast as the other side reads, until the other side has disconnected. */
export function pour(stream: NodeJS.WritableStream, text: string | Buffer): void {
  const go = (): void => {
    while (stream.writable && stream.write(text));
  };
  stream.on("drain", go);
  go();
}

/** Encodes a fragment of a WebSocket text message, unmasked. */
export function frame(text: string, { isFirst = true, isLast = true } = {}): Buffer {
  const payload = Buffer.from(text);
  const head = Buffer.alloc(10);
  head[0] = (isLast ? 0x80 : 0) + (isFirst ? 1 : 0);
  head[1] = 127;
  head.writeBigUInt64BE(BigInt(payload.length), 2);
  return Buffer.concat([head, payload]);
}

/** Expects that a command wrote no control sequences and no stack trace, and used little memory. */
export function expectHarmless({ out, err, memory }: EndedCommand): void {
  expect(out).toMatch(harmless);
  expect(err).toMatch(harmless);
  expect(err).not.toMatch(/^ +at /m);
  expect(memory).toBeGreaterThan(0);
  expect(memory).toBeLessThan(maxMemory);
}

/** Common control sequences. */
export const steeringText = steering.repeat(2_000);
