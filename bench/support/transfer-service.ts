import { once } from "node:events";
import { createServer, type Socket } from "node:net";

import { transferBlock, type TransferRequest } from "./transfer-request.ts";

/*
 * A service of a workspace: each connection begins with JSON that asks for an echo, for bytes without end, or for
 * bytes to be counted. Its argument is its port. It prints `ready`, and then for each upload the bytes of the time that was
 * asked for, from the first of them: what has arrived, where the sender only knows what it has handed over.
 */

const server = createServer((socket) => {
  // A measurement ends by the end of its connection.
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
  // The client sends nothing more before it knows that its request has come.
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

/** Returns the bytes that come within the time after the first of them. */
async function countBytes(socket: Socket, seconds: number): Promise<number> {
  const [first]: readonly Buffer[] = await once(socket, "data");
  let bytes = first?.length ?? 0;
  socket.on("data", (chunk: Buffer) => (bytes += chunk.length));
  await new Promise((resolve) => setTimeout(resolve, seconds * 1_000));
  return bytes;
}
