import { once } from "node:events";
import { createServer, type Socket } from "node:net";

import { transferBlock, type TransferRequest } from "./transfer-request.ts";

/*
 * A service of a workspace: each connection starts with JSON that requests an echo, endless bytes, or a byte count.
 * Its argument is its port. It prints `ready`, and then for each upload the bytes that arrived within the requested
 * time after the first byte; the sender only knows how much it has sent.
 */

const server = createServer((socket) => {
  // A measurement ends with its connection.
  socket.on("error", () => undefined);
  socket.once("data", (first: Buffer) => {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- `transfer-client.ts` wrote it
    serve(socket, JSON.parse(first.toString()) as TransferRequest).catch(() => socket.destroy());
  });
});
server.listen(Number(process.argv[2]), "127.0.0.1");
await once(server, "listening");
process.stdout.write("ready\n");

async function serve(socket: Socket, { kind, seconds }: TransferRequest): Promise<void> {
  // The client waits for confirmation of its request.
  socket.write("go");
  switch (kind) {
    case "echo":
      socket.pipe(socket);
      return;
    case "down":
      while (!socket.destroyed) if (!socket.write(transferBlock)) await once(socket, "drain");
      return;
    case "up":
      process.stdout.write(`${String(await countBytes(socket, seconds))}\n`);
      socket.resetAndDestroy();
  }
}

/** Returns the number of bytes that arrive within the time after the first byte. */
async function countBytes(socket: Socket, seconds: number): Promise<number> {
  const [first]: readonly Buffer[] = await once(socket, "data");
  let bytes = first?.length ?? 0;
  socket.on("data", (chunk: Buffer) => (bytes += chunk.length));
  await new Promise((resolve) => setTimeout(resolve, seconds * 1_000));
  return bytes;
}
