import { lookup } from "node:dns/promises";
import { stat } from "node:fs/promises";
import { connect, type LookupFunction, type NetConnectOpts, type Socket } from "node:net";

import { whenAborted } from "@slipway/runtime";
import type { Connection, ServerChannel } from "ssh2";

import type { OpenSession } from "../../connections/session-log.ts";
import { findListeners, findOwners, readOfProcess } from "../../process/listeners.ts";
import { fileTurns, nameTurns } from "../../process/turns.ts";
import { type ForwardingConnection, joinChannel } from "./join-channel.ts";

/** The time for a port of the workspace to answer. */
const connectTimeoutMs = 30_000;

/** The channels that a connection may still open. */
export interface ChannelSlots {
  /** Takes one; undefined if there is none left. */
  take(): Disposable | undefined;
}

interface LocalForwardNeeds {
  readonly slots: ChannelSlots;
  /** Opens the session of an editor, for a connection to its server. */
  readonly openEditorSession: () => OpenSession;
}

/** Connects the client to ports and Unix sockets of the workspace (docs/protocol/agent.md §6.6). */
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
    const descriptor = slot === undefined ? undefined : connection.descriptors.take(1);
    if (slot === undefined || descriptor === undefined) {
      slot?.[Symbol.dispose]();
      reject();
      return;
    }
    const ended = new AbortController();
    const begun = (): void => {
      if (target.port !== undefined) void report(target.port, openEditorSession, ended.signal);
    };
    void serve(target, accept, reject, { ...connection, begun }).finally(() => {
      slot[Symbol.dispose]();
      descriptor[Symbol.dispose]();
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
  const socket = await open(target, connection);
  if (socket === undefined || connection.ended.aborted) {
    socket?.destroy();
    reject();
    return;
  }
  connection.begun();
  await joinChannel(accept(), socket, connection);
}

/** Counts and reports a connection to a JetBrains editor until it ends. */
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

/** Resolves to undefined if the target does not answer. */
async function open(
  target: NetConnectOpts,
  { output: owner, ended }: ForwardingConnection,
): Promise<Socket | undefined> {
  try {
    // Connecting to a socket blocks everything if its file system does not answer, so the socket is first looked up
    // in turns.
    if ("path" in target && !(await isSocket(target.path, owner))) return undefined;
    const socket = connect({ ...target, allowHalfOpen: true, lookup: lookupFor(owner) });
    return await connected(socket, ended);
  } catch {
    // An invalid host name, for which Node.js throws, or no such path.
    return undefined;
  }
}

async function isSocket(path: string, owner: object): Promise<boolean> {
  return fileTurns.run(owner, async () => (await stat(path)).isSocket());
}

/** Looks up names in turns with other connections: each lookup occupies a thread until a name server answers. */
function lookupFor(owner: object): LookupFunction {
  return (name, options, callback) => {
    nameTurns
      .run(owner, () => lookup(name, { ...options, all: true }))
      .then(
        (found) => callback(null, found),
        (error: Error) => callback(error, []),
      );
  };
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
    // `joinChannel` handles later errors.
    socket.on("error", fail);
    socket.once("connect", () => {
      stop();
      resolve(socket);
    });
  });
}

/** Parts of the command lines of JetBrains editors' servers, in lower case (docs/protocol/agent.md §6.6). */
const marks = ["idea.vendor.name=jetbrains", "com.jetbrains.toolbox", "remote-dev-server"];

/** Reports whether a JetBrains editor listens on a port; false without `/proc`. */
async function isJetBrainsPort(port: number): Promise<boolean> {
  const listeners = await findListeners();
  const inode = listeners.find((listener) => listener.port === port)?.inode;
  if (inode === undefined) return false;
  const pid = (await findOwners(new Set([inode]))).get(inode);
  if (pid === undefined) return false;
  const commandLine = (await readOfProcess(pid, "cmdline")).toLowerCase();
  return marks.some((mark) => commandLine.includes(mark));
}
