import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";

import { expect, onTestFinished } from "vitest";

import { portOf } from "./subject.ts";

/** The address of a program on this machine. */
export type LocalAddress = { readonly path: string } | { readonly port: number };

/** Listens until the test ends and echoes each text. Returns the port; 0 for a Unix socket. */
export async function openEcho(where: string | number): Promise<number> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on("error", () => undefined);
    socket.write("echo ");
    socket.pipe(socket);
  });
  onTestFinished(() => void server.close());
  if (typeof where === "string") server.listen(where);
  else server.listen(where, "127.0.0.1");
  await once(server, "listening");
  return portOf(server.address());
}

/** Sends a text, then EOF, and returns the answer. */
export async function ask(where: LocalAddress): Promise<string> {
  const socket = connect({ host: "127.0.0.1", ...where, allowHalfOpen: true });
  onTestFinished(() => void socket.destroy());
  socket.end("hello");
  return text(socket);
}

/** Retries until a program listens. */
export async function askSoon(where: LocalAddress): Promise<string> {
  let answer = "";
  await expect
    .poll(async () => (answer = await ask(where).catch(() => "")), { timeout: 10_000 })
    .not.toBe("");
  return answer;
}

export async function findFreePort(): Promise<number> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const port = portOf(server.address());
  server.close();
  await once(server, "close");
  return port;
}

/** Opens two sockets, connected until the test ends, with small system buffers between them. */
export async function openSocketPair(): Promise<readonly [Socket, Socket]> {
  const folder = mkdtempSync(join(tmpdir(), "slipway-sockets-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, "socket");
  const server = createServer({ allowHalfOpen: true });
  onTestFinished(() => void server.close());
  server.listen(path);
  await once(server, "listening");
  const accepted = once(server, "connection");
  const ours = connect(path);
  onTestFinished(() => void ours.destroy());
  const [theirs] = await accepted;
  return [ours, theirs];
}
