import { createServer } from "node:http";

import { forwardRequest } from "./forward-request.ts";
import { type LocalServer, openLocalServer } from "./local-server.ts";

/** The treatment of a WebSocket: its request is passed on as a plain one, or is never answered. */
export type SocketTreatment = "strips" | "swallows";

/** Opens a proxy in front of a server that lets no WebSocket through. */
export async function openSocketlessProxy(
  serverUrl: string,
  treatment: SocketTreatment,
): Promise<LocalServer> {
  const port = Number(new URL(serverUrl).port);
  const http = createServer((incoming, outgoing) => {
    const { upgrade: _dropped, connection: _alsoDropped, ...headers } = incoming.headers;
    forwardRequest(incoming, outgoing, { port, headers });
  });
  if (treatment === "swallows") {
    http.on("upgrade", (_request, socket) => socket.on("error", () => undefined));
  }
  return openLocalServer(http);
}
