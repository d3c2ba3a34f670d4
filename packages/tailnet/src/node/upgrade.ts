import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";

import { httpModule } from "@slipway/runtime";

import { type DerpNode, nodeUrl } from "../relay/derp-map.ts";
import { RelayError } from "../relay/errors.ts";
import type { RelayStream } from "../relay/relay-stream.ts";
import {
  readRefusal,
  connectOptions,
  followRequest,
  type RelayRequestOptions,
} from "./relay-requests.ts";
import { streamOfSocket } from "./socket-stream.ts";

/** The interval at which the system checks whether a silent relay is still there. */
const tcpKeepAliveMs = 60_000;

/** Opens a stream by `Upgrade: DERP` (docs/protocol/tailnet.md §4.2). Throws `RelayError`, or the signal's reason. */
export async function dialByUpgrade(
  node: DerpNode,
  options: RelayRequestOptions,
  signal: AbortSignal,
): Promise<RelayStream> {
  signal.throwIfAborted();
  const connect = connectOptions(node, options);
  const request = httpModule(node.isHttp).request(nodeUrl(node, "http", "/derp"), {
    ...connect,
    headers: { ...connect.headers, Connection: "Upgrade", Upgrade: "DERP" },
    signal,
  });
  const failure = followRequest(request, node);
  const { promise, resolve, reject } = Promise.withResolvers<RelayStream>();
  request.once("upgrade", (response: IncomingMessage, socket: Socket, head: Uint8Array) => {
    if (response.headers.upgrade?.toLowerCase() !== "derp") {
      socket.destroy();
      reject(new RelayError("upgrade", `${node.hostName} upgraded to another protocol`));
      return;
    }
    socket.setNoDelay(true);
    socket.setKeepAlive(true, tcpKeepAliveMs);
    resolve(streamOfSocket(socket, head));
  });
  request.once("response", (response) => {
    void readRefusal(response).then((error) => {
      reject(error);
      request.destroy();
    });
  });
  request.on("error", (cause) => reject(signal.aborted ? signal.reason : failure(cause)));
  request.end();
  return promise;
}
