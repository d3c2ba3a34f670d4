import type { ClientRequest } from "node:http";

import { joinBytes } from "@slipway/wire/bytes/join";
import WebSocket from "ws";

import { type DerpNode, nodeUrl } from "../relay/derp-map.ts";
import { RelayError } from "../relay/errors.ts";
import type { RelayReceiver, RelayStream } from "../relay/relay-stream.ts";
import {
  readRefusal,
  connectOptions,
  followRequest,
  type RelayRequestOptions,
} from "./relay-requests.ts";

const subprotocol = "derp";
/** The maximum size of a message from a relay, which may hold several frames (docs/protocol/tailnet.md §4.3). */
const maxReceivedBytes = 2 * 1024 * 1024;
/** The maximum size of a message to a relay. */
const maxMessageBytes = 16 * 1024;
const normalClosure = 1000;

/** Opens a stream by WebSocket (docs/protocol/tailnet.md §4.3). Throws `RelayError`, or the signal's reason. */
export async function dialByWebSocket(
  node: DerpNode,
  options: RelayRequestOptions,
  signal: AbortSignal,
): Promise<RelayStream> {
  signal.throwIfAborted();
  const { agent, ...connect } = connectOptions(node, options);
  let failure = (cause: unknown): RelayError =>
    new RelayError("tcp", `cannot connect to ${node.hostName}`, { cause });
  const socket = new WebSocket(nodeUrl(node, "ws", "/derp"), subprotocol, {
    ...connect,
    ...(agent === false ? {} : { agent }),
    perMessageDeflate: false,
    maxPayload: maxReceivedBytes,
    finishRequest: (request: ClientRequest) => {
      failure = followRequest(request, node);
      request.end();
    },
  });
  const { promise, resolve, reject } = Promise.withResolvers<RelayStream>();
  const abort = (): void => {
    reject(signal.reason);
    socket.terminate();
  };
  signal.addEventListener("abort", abort, { once: true });
  socket.once("open", () => {
    // Frames may have come with the answer; they wait for the receiver.
    socket.pause();
    resolve(streamOf(socket));
  });
  socket.once("unexpected-response", (request, response) => {
    void readRefusal(response).then((error) => {
      reject(error);
      request.destroy();
    });
  });
  socket.on("error", (cause) => reject(failure(cause)));
  return promise.finally(() => signal.removeEventListener("abort", abort));
}

function streamOf(socket: WebSocket): RelayStream {
  let reason: string | undefined;
  socket.on("error", (error) => {
    reason = error.message;
  });
  return {
    start: (receiver) => start(socket, receiver, () => reason),
    send: (pieces, sent) => {
      const bytes = joinBytes(pieces);
      for (let at = 0; at < bytes.length; at += maxMessageBytes) {
        const end = at + maxMessageBytes;
        socket.send(bytes.subarray(at, end), { binary: true }, (error) => {
          if (end >= bytes.length && (error === undefined || error === null)) sent();
        });
      }
    },
    end: () => socket.close(normalClosure),
    destroy: () => socket.terminate(),
  };
}

function start(socket: WebSocket, receiver: RelayReceiver, reason: () => string | undefined): void {
  if (socket.readyState === WebSocket.CLOSED) {
    receiver.closed(reason());
    return;
  }
  socket.on("message", (data: Buffer | ArrayBuffer | Buffer[], isBinary) => {
    if (isBinary) receiver.receive(bytesOf(data));
    else socket.close(1003, "text message");
  });
  socket.on("close", (code) => receiver.closed(reason() ?? `close code ${String(code)}`));
  socket.resume();
}

function bytesOf(data: Buffer | ArrayBuffer | Buffer[]): Uint8Array {
  if (Array.isArray(data)) return Buffer.concat(data);
  return data instanceof ArrayBuffer ? new Uint8Array(data) : data;
}
