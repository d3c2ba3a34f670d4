import { createServer, type IncomingMessage } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { Duplex } from "node:stream";

import { Relay, type RelayLimits, serveSocket, serveWebSocket, sodiumCrypto } from "@slipway/relay";
import { silentLogger, systemClock } from "@slipway/runtime";
import { WebSocketServer } from "ws";

import { type LocalServer, openLocalServer } from "./local-server.ts";

export interface RelayServerOptions {
  /** Serves HTTPS with this key and certificate, in PEM (default: HTTP). */
  readonly tls?: { readonly key: string; readonly cert: string };
  /** Answers every DERP upgrade with this status (default: accepts them). */
  readonly refusal?: number;
  readonly limits?: Partial<RelayLimits>;
}

/** A relay with its routes, on a local port. */
export interface RelayServer extends LocalServer {
  readonly relay: Relay;
  /** Every request that arrived, with its path, the protocol of its upgrade, and its headers. */
  readonly requests: readonly RelayServerRequest[];
}

export interface RelayServerRequest {
  readonly path: string;
  readonly upgrade: string | undefined;
  readonly headers: IncomingMessage["headers"];
}

/** Opens a relay that serves `/derp` and `/derp/latency-check`; disposing of it cuts off every connection. */
export async function openRelayServer(options: RelayServerOptions = {}): Promise<RelayServer> {
  const { tls, refusal, limits = {} } = options;
  const relay = new Relay({
    crypto: sodiumCrypto,
    clock: systemClock,
    logger: silentLogger,
    limits,
  });
  const webSockets = new WebSocketServer({ noServer: true, handleProtocols: () => "derp" });
  const requests: RelayServerRequest[] = [];
  const note = ({ url = "", headers }: IncomingMessage): void => {
    requests.push({ path: url, upgrade: headers.upgrade, headers });
  };
  const server = tls === undefined ? createServer() : createTlsServer(tls);
  server.on("request", (request, response) => {
    note(request);
    response.statusCode = request.url === "/derp/latency-check" ? 200 : 426;
    response.end();
  });
  server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    note(request);
    if (request.headers.upgrade === "websocket") {
      webSockets.handleUpgrade(request, socket, head, (webSocket) => {
        serveWebSocket(webSocket, (transport) => relay.accept(transport));
      });
    } else if (refusal === undefined) {
      socket.write(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: DERP\r\nConnection: Upgrade\r\n\r\n",
      );
      serveSocket(socket, (transport) => relay.accept(transport));
    } else {
      socket.end(`HTTP/1.1 ${refusal} Refused\r\nConnection: close\r\n\r\nno upgrades here`);
    }
  });
  const listening = await openLocalServer(server);
  return {
    port: listening.port,
    url: tls === undefined ? listening.url : listening.url.replace("http", "https"),
    relay,
    requests,
    [Symbol.asyncDispose]: async () => {
      await relay.close(0);
      await listening[Symbol.asyncDispose]();
    },
  };
}
