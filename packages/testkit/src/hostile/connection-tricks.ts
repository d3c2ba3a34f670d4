import { once } from "node:events";
import type { Socket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";

import { connectAsStranger } from "./stranger-connection.ts";
import type { HostileTarget } from "./target.ts";
import type { Play, Trick } from "./trick.ts";

/** The number of connections that one trick keeps open. */
const connectionsAtOnce = 200;
const forMs = 3_000;
/** The time a trick waits for an answer. */
const answerMs = 2_000;

/** Connections of strangers that open and close as fast as the server accepts them. */
export const connectionTricks: readonly Trick[] = [
  {
    name: "connections that come and go",
    run: (target, play) => comeAndGo(target, play, async () => undefined),
  },
  {
    name: "requests that break off",
    run: (target, play) =>
      comeAndGo(target, play, async (socket) => {
        socket.write("GET /api/v2/buildinfo HTTP/1.1\r\nHost: x\r\nX-Half: ");
      }),
  },
  {
    name: "WebSockets that come and go",
    run: (target, play) =>
      comeAndGo(target, play, (socket) => {
        return answerTo(socket, webSocket("/derp", "Sec-WebSocket-Protocol: derp\r\n"));
      }),
  },
  {
    name: "upgrades that break off",
    run: (target, play) =>
      comeAndGo(target, play, async (socket) => {
        socket.write(webSocket("/api/v2/derp-map", ""));
      }),
  },
];

/** Connects repeatedly, lets each connection act, and resets it. */
async function comeAndGo(
  target: HostileTarget,
  play: Play,
  act: (socket: Socket) => Promise<void>,
): Promise<void> {
  const until = performance.now() + forMs;
  const repeat = async (): Promise<void> => {
    while (performance.now() < until) {
      const socket = await connectAsStranger(target);
      play.note(!socket.destroyed);
      await act(socket);
      socket.resetAndDestroy();
    }
  };
  await Promise.all(Array.from({ length: connectionsAtOnce }, repeat));
}

async function answerTo(socket: Socket, request: string): Promise<void> {
  socket.write(request);
  await Promise.race([once(socket, "data"), once(socket, "close"), pause(answerMs)]);
}

/** Encodes a WebSocket request. */
export function webSocket(path: string, headers: string): string {
  return (
    `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
    `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n${headers}\r\n`
  );
}
