import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";

import type { HostileTarget } from "./target.ts";
import type { Play } from "./trick.ts";

/** The last address in use: strangers have many, all on this machine. */
let lastAddress = 0;

/** Connects from an address that no recent connection had; errors only close the socket. */
export async function connectAsStranger({
  server,
}: Pick<HostileTarget, "server">): Promise<Socket> {
  const { hostname, port } = new URL(server.url);
  lastAddress = (lastAddress + 1) % 0xffff;
  const localAddress = `127.66.${lastAddress >> 8}.${lastAddress & 0xff}`;
  const socket = connect({ host: hostname, port: Number(port), localAddress });
  socket.on("error", () => undefined);
  await Promise.race([once(socket, "connect"), once(socket, "close")]);
  return socket;
}

/** Opens many connections concurrently. */
export async function connectStrangers(
  target: Pick<HostileTarget, "server">,
  count: number,
): Promise<readonly Socket[]> {
  return Promise.all(Array.from({ length: count }, () => connectAsStranger(target)));
}

/** Records the status of each response until the connection ends or the time is up. */
export async function noteResponses(
  socket: Socket,
  play: Pick<Play, "status">,
  { what, forMs }: { readonly what: string; readonly forMs: number },
): Promise<void> {
  let rest = "";
  socket.on("data", (chunk: Buffer) => {
    const text = rest + chunk.toString("latin1");
    for (const [, status] of text.matchAll(/HTTP\/1\.1 (\d{3}) /g))
      play.status(Number(status), what);
    // A status line may be cut; a complete one is dropped so that it is counted once.
    rest = /HTTP\/?1?\.?1? ?\d{0,3}$|H(?:T(?:TP?)?)?$/.exec(text)?.[0] ?? "";
  });
  await Promise.race([once(socket, "close"), pause(forMs)]);
  socket.destroy();
}

/** Writes as much of a text as the other side reads; resolves also when the connection is gone. */
export async function writeAll(socket: Socket, bytes: string | Uint8Array): Promise<void> {
  if (socket.destroyed || socket.write(bytes)) return;
  await Promise.race([once(socket, "drain"), once(socket, "close")]);
}
