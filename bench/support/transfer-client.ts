import { once } from "node:events";
import { connect, type Socket } from "node:net";

import { transferBlock, type TransferRequest } from "./transfer-request.ts";

/*
 * The user's side of a transfer to `transfer-service.ts` through a forwarded port. Its arguments are the port, the
 * direction and the seconds. It first exchanges a few small messages, during which peers find their path, and prints
 * the bytes of a download within the time after the first byte; the service prints those of an upload.
 */

const [, , port = "", kind = "", seconds = ""] = process.argv;
const echoes = 20;
const echoEveryMs = 50;

const echo = await open({ kind: "echo", seconds: 0 });
for (let count = 0; count < echoes; count += 1) {
  echo.write("x");
  await once(echo, "data");
  await new Promise((resolve) => setTimeout(resolve, echoEveryMs));
}
echo.destroy();

if (kind === "down") process.stdout.write(`${String(await download(Number(seconds)))}\n`);
else await upload(Number(seconds));

async function open(request: TransferRequest): Promise<Socket> {
  const socket = connect({ port: Number(port), host: "127.0.0.1", noDelay: true });
  await once(socket, "connect");
  socket.write(JSON.stringify(request));
  await once(socket, "data");
  return socket;
}

async function download(limit: number): Promise<number> {
  const socket = await open({ kind: "down", seconds: limit });
  const [first]: readonly Buffer[] = await once(socket, "data");
  let bytes = first?.length ?? 0;
  socket.on("data", (chunk: Buffer) => (bytes += chunk.length));
  await new Promise((resolve) => setTimeout(resolve, limit * 1_000));
  socket.resetAndDestroy();
  return bytes;
}

/** Sends until the service has received enough and closes the connection. */
async function upload(limit: number): Promise<void> {
  const socket = await open({ kind: "up", seconds: limit });
  const ended = new Promise((resolve) => socket.once("close", resolve));
  // The service resets the connection.
  socket.on("error", () => undefined);
  while (!socket.destroyed) {
    if (socket.write(transferBlock)) continue;
    await Promise.race([new Promise((resolve) => socket.once("drain", resolve)), ended]);
  }
}
