import { connect, type NetConnectOpts, type Socket } from "node:net";

import { whenAborted } from "@slipway/runtime";
import type { Connection, ServerChannel } from "ssh2";

import type { OpenSession } from "../connections/session-log.ts";
import { isJetBrainsPort } from "./jetbrains.ts";
import { type ForwardingConnection, joinChannel } from "./join-channel.ts";

/** The time in which a port of the workspace must answer. */
const connectTimeoutMs = 30_000;

/** The number of channels that a connection may have. */
export interface ChannelSlots {
  /** Takes one; `undefined` when there is none. */
  take(): Disposable | undefined;
}

interface LocalForwardNeeds {
  readonly slots: ChannelSlots;
  /** Opens the session of an editor whose server in the workspace a connection goes to. */
  readonly openEditorSession: () => OpenSession;
}

/** Opens connections from the workspace for the client (docs/protocol/agent.md §6.6): to ports, and to Unix sockets. */
export function serveLocalForwards(
  client: Connection,
  connection: ForwardingConnection,
  { slots, openEditorSession }: LocalForwardNeeds,
): void {
  const forward = (
    target: NetConnectOpts & { readonly port?: number },
    accept: () => ServerChannel,
    reject: () => void,
  ): void => {
    const slot = slots.take();
    if (slot === undefined) {
      reject();
      return;
    }
    const ended = new AbortController();
    const begun = (): void => {
      if (target.port !== undefined) void report(target.port, openEditorSession, ended.signal);
    };
    void serve(target, accept, reject, { ...connection, begun }).finally(() => {
      slot[Symbol.dispose]();
      ended.abort();
    });
  };
  client.on("tcpip", (accept, reject, { destIP, destPort }) => {
    if (destPort < 1 || destPort > 0xffff) reject();
    else forward({ host: destIP, port: destPort }, accept, reject);
  });
  client.on("openssh.streamlocal", (accept, reject, { socketPath }) =>
    forward({ path: socketPath }, accept, reject),
  );
}

async function serve(
  target: NetConnectOpts,
  accept: () => ServerChannel,
  reject: () => void,
  connection: ForwardingConnection & { readonly begun: () => void },
): Promise<void> {
  const socket = await open(target, connection.ended);
  if (socket === undefined || connection.ended.aborted) {
    socket?.destroy();
    reject();
    return;
  }
  connection.begun();
  await joinChannel(accept(), socket, connection);
}

/** Counts and reports a connection to an editor of JetBrains, until it ends. */
async function report(
  port: number,
  openEditorSession: () => OpenSession,
  ended: AbortSignal,
): Promise<void> {
  if (!(await isJetBrainsPort(port)) || ended.aborted) return;
  const session = openEditorSession();
  await whenAborted(ended);
  session.close({ statusCode: 0, reason: "graceful" });
}

/** Resolves with undefined where nobody answers. */
async function open(target: NetConnectOpts, signal: AbortSignal): Promise<Socket | undefined> {
  try {
    const socket = connect({ ...target, allowHalfOpen: true });
    return await connected(socket, signal);
  } catch {
    // No name of a host: Node.js throws for it.
    return undefined;
  }
}

function connected(socket: Socket, signal: AbortSignal): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const stop = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", fail);
    };
    const fail = (): void => {
      stop();
      socket.destroy();
      resolve(undefined);
    };
    const timer = setTimeout(fail, connectTimeoutMs);
    signal.addEventListener("abort", fail, { once: true });
    // Later errors are `joinChannel`'s.
    socket.on("error", fail);
    socket.once("connect", () => {
      stop();
      resolve(socket);
    });
  });
}
