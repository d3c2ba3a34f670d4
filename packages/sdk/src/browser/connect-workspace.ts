import type { RpcSocket } from "@slipway/rpc";
import { nobleCrypto } from "@slipway/tailnet/crypto/noble-crypto";
import {
  createBrowserDialer,
  createBrowserFetchLatency,
} from "@slipway/tailnet/relay/browser-dialer";

import { ConnectError } from "../http/errors.ts";
import { type ConnectWorkspaceOptions, joinNetwork } from "../workspace/join-network.ts";
import type { WorkspaceConnection } from "../workspace/workspace-connection.ts";
import { rpcSocketOf } from "./web-socket.ts";

/**
 * Joins the network in a page of the server, as `joinNetwork` does: over relays and WebSockets, which send the page's
 * cookies.
 */
export function connectWorkspace(
  options: Omit<ConnectWorkspaceOptions, "disableDirect">,
): Promise<WorkspaceConnection> {
  const { clock } = options;
  return joinNetwork({ ...options, disableDirect: true }, async () => ({
    crypto: nobleCrypto,
    socket: undefined,
    dialer: createBrowserDialer(clock),
    fetchLatency: createBrowserFetchLatency(clock),
    dial: openSocket,
  }));
}

/** Opens a socket; a browser does not say why one was refused. */
async function openSocket(url: URL, signal: AbortSignal): Promise<RpcSocket> {
  signal.throwIfAborted();
  const socket = new WebSocket(url);
  const opened = Promise.withResolvers<void>();
  const refuse = (): void =>
    opened.reject(new ConnectError(url.origin, { cause: new Error("the WebSocket was refused") }));
  const giveUp = (): void => opened.reject(signal.reason);
  socket.addEventListener("open", () => opened.resolve(), { once: true });
  socket.addEventListener("close", refuse, { once: true });
  signal.addEventListener("abort", giveUp, { once: true });
  const session = rpcSocketOf(socket);
  try {
    await opened.promise;
    return session;
  } catch (error) {
    socket.close();
    throw error;
  } finally {
    socket.removeEventListener("close", refuse);
    signal.removeEventListener("abort", giveUp);
  }
}
