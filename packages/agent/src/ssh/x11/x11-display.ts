import { createServer, type Server, type Socket } from "node:net";
import { hostname } from "node:os";

import { type Clock, systemErrorCode } from "@slipway/runtime";
import type { Connection, X11Info } from "ssh2";

import { SshError } from "../errors.ts";
import { type ForwardingConnection, joinChannel, takeSocket } from "../forwarding/join-channel.ts";
import { addToAuthorityFile } from "./authority-file.ts";

/** The ports of displays (docs/protocol/agent.md §6.6): display 10 is port 6010. */
const firstPort = 6010;
const lastPort = 6200;
const displayZeroPort = 6000;
/** The maximum number of connected X11 programs of a session. */
const maxPrograms = 256;
const maxProtocolBytes = 64;
const maxCookieBytes = 256;
const maxScreen = 255;

/** The X11 display that a client offers (RFC 4254, 6.3.1). */
export interface X11Request {
  /** True if only one program may connect. */
  readonly isSingle: boolean;
  readonly protocol: string;
  readonly cookie: Buffer;
  readonly screen: number;
}

/** A display listens on both loopback addresses. */
const listenersOfDisplay = 2;

interface DisplayNeeds {
  readonly client: Connection;
  readonly connection: ForwardingConnection;
  readonly clock: Clock;
  /** The file from which the session's X11 programs read cookies. */
  readonly authorityFile: string;
  /** Aborted when the session ends, which closes the display. */
  readonly ended: AbortSignal;
}

/** Reads a request, whose cookie must be hexadecimal digits. Returns undefined for an invalid one. */
export function readX11Request({
  single,
  protocol,
  cookie: text,
  screen,
}: X11Info): X11Request | undefined {
  // ssh2 passes bytes, contrary to its types.
  const cookie = Buffer.from(text).toString();
  const isCookie = /^(?:[0-9a-f]{2})+$/i.test(cookie) && cookie.length <= 2 * maxCookieBytes;
  const isProtocol = /^[\w-]+$/.test(protocol) && protocol.length <= maxProtocolBytes;
  if (!isCookie || !isProtocol || screen > maxScreen) return undefined;
  return { isSingle: single, protocol, cookie: Buffer.from(cookie, "hex"), screen };
}

/**
 * Opens a display whose programs appear on the client's. Resolves to the value of `DISPLAY`. Rejects with `SshError`
 * "x11-failed" if no display is free, and with the errors of the file of cookies.
 */
export async function openDisplay(request: X11Request, needs: DisplayNeeds): Promise<string> {
  const { client, connection, ended } = needs;
  const servers: Server[] = [];
  const close = (): void => {
    for (const server of servers.splice(0)) server.close();
  };
  const take = (socket: Socket): void => {
    if (!takeSocket(socket, connection)) return;
    if (request.isSingle) close();
    const { remoteAddress = "", remotePort = 0 } = socket;
    client.x11(remoteAddress, remotePort, (error, channel) => {
      if (error === undefined) void joinChannel(channel, socket, connection);
      else socket.destroy();
    });
  };
  const room = connection.descriptors.take(listenersOfDisplay);
  if (room === undefined) throw new SshError("x11-failed", "too many open files");
  ended.addEventListener("abort", () => room[Symbol.dispose](), { once: true });
  const port = await listenOnFreePort(servers, take);
  if (ended.aborted) close();
  else ended.addEventListener("abort", close, { once: true });
  const display = port - displayZeroPort;
  const { protocol, cookie, screen } = request;
  const entry = { host: hostname(), display, protocol, cookie };
  try {
    await addToAuthorityFile(needs.authorityFile, entry, { clock: needs.clock, signal: ended });
  } catch (error) {
    close();
    throw error;
  }
  return `localhost:${display}.${screen}`;
}

/** Listens on both loopback addresses, so that no other user can accept programs on one of them. */
async function listenOnFreePort(
  servers: Server[],
  take: (socket: Socket) => void,
): Promise<number> {
  for (let port = firstPort; port <= lastPort; port += 1) {
    const v4 = await tryListen("127.0.0.1", port, take);
    if (v4 === "in use") continue;
    const v6 = await tryListen("::1", port, take);
    if (v6 === "in use") {
      if (v4 !== "no such address") v4.close();
      continue;
    }
    const open = [v4, v6].filter((one) => one !== "no such address");
    if (open.length === 0) break;
    servers.push(...open);
    return port;
  }
  throw new SshError("x11-failed", `no display is free from ${firstPort} to ${lastPort}`);
}

function tryListen(
  host: string,
  port: number,
  take: (socket: Socket) => void,
): Promise<Server | "in use" | "no such address"> {
  return new Promise((resolve) => {
    const server = createServer({ allowHalfOpen: true }, take);
    server.maxConnections = maxPrograms;
    server.once("error", (error) =>
      resolve(systemErrorCode(error) === "EADDRINUSE" ? "in use" : "no such address"),
    );
    server.listen({ host, port }, () => resolve(server));
  });
}
