import { certificateFor } from "@slipway/runtime";
import { type ClientOptions, WebSocket as NodeWebSocket } from "ws";

/** The maximum size of a message: a server sends the lines of a log in pieces. */
const maxMessageBytes = 16 * 1024 * 1024;
/** The time for a server to answer a close that was sent: a command waits for it before it ends. */
const closeTimeoutMs = 300;
/** The time for a server to open a socket. */
const openTimeoutMs = 30_000;

/**
 * Creates a WebSocket to an `http` or `https` address for programs of Node.js. Unlike the built-in one, it limits its
 * messages, and its end does not depend on the server.
 */
export function createNodeSocket(
  url: string,
  headers: Readonly<Record<string, string>>,
): WebSocket {
  // Its types lack the timeout of a close.
  const options: ClientOptions & { readonly closeTimeout: number } = {
    ...certificateFor(url),
    headers: { ...headers },
    maxPayload: maxMessageBytes,
    perMessageDeflate: false,
    handshakeTimeout: openTimeoutMs,
    closeTimeout: closeTimeoutMs,
  };
  const socket = new NodeWebSocket(url.replace(/^http/, "ws"), options);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it has the interface of a browser's
  return socket as unknown as WebSocket;
}
