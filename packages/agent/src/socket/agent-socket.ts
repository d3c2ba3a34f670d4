import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { lstat, rename, rm } from "node:fs/promises";
import { connect, createServer, type Server, type Socket } from "node:net";
import { dirname, join } from "node:path";

import { type Logger, systemErrorCode } from "@slipway/runtime";
import { makeDirectories } from "@slipway/runtime/make-directories";

import { SocketError } from "./errors.ts";
import { socketCalls, type SocketState } from "./socket-calls.ts";
import { serveSocketConnection } from "./socket-connection.ts";

/** Connections at once; a further one takes the place of the one that has been silent for longest. */
export const maxSocketConnections = 128;

export interface AgentSocketOptions {
  readonly path: string;
  readonly state: SocketState;
  readonly logger: Logger;
}

/** The agent's unix socket, on which programs of its user call it (docs/protocol/agent.md §10). */
export class AgentSocketServer implements AsyncDisposable {
  readonly #path: string;
  readonly #server: Server;
  /** The file that it has made, so that it removes no other. */
  readonly #inode: number;
  /** The last to speak is last. */
  readonly #connections: Set<Socket>;

  private constructor(path: string, server: Server, inode: number, connections: Set<Socket>) {
    this.#path = path;
    this.#server = server;
    this.#inode = inode;
    this.#connections = connections;
  }

  /**
   * Opens the socket for this user alone, in the place of one that a dead agent has left. Rejects with `SocketError` where
   * somebody listens there or the file is none of an agent, and with the system's error.
   */
  static async open({ path, state, logger }: AgentSocketOptions): Promise<AgentSocketServer> {
    await makeDirectories(dirname(path), 0o700);
    await requireFree(path);
    const connections = new Set<Socket>();
    const server = createServer((socket) => {
      connections.add(socket);
      socket.on("close", () => connections.delete(socket));
      socket.on("data", () => {
        connections.delete(socket);
        connections.add(socket);
      });
      serveSocketConnection(socket, { calls: socketCalls, state, logger });
      const [oldest] = connections;
      if (connections.size > maxSocketConnections) oldest?.destroy();
    });
    await listenAlone(server, path);
    // Later faults, such as too many open files, cost a connection.
    server.on("error", (error) => logger.warn({ error: error.message }, "agent socket"));
    const { ino } = await lstat(path);
    return new AgentSocketServer(path, server, ino, connections);
  }

  /** Ends all connections and removes the file. Idempotent. */
  async close(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = once(this.#server, "close");
    const isOurs = await this.#isOurs();
    this.#server.close();
    for (const socket of this.#connections) socket.destroy();
    await closed;
    if (isOurs) await rm(this.#path, { force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #isOurs(): Promise<boolean> {
    return lstat(this.#path).then(
      ({ ino }) => ino === this.#inode,
      () => false,
    );
  }
}

/**
 * Listens on a file that nobody else may use from the moment it is there, and puts it in the place of a dead agent's. Node.js
 * removes the name on which it began to listen when it ends, whoever has it by then: so it is another one.
 */
async function listenAlone(server: Server, path: string): Promise<void> {
  const name = join(dirname(path), `.${randomBytes(2).toString("hex")}`);
  const umask = process.umask(0o177);
  try {
    // The file is made before this returns.
    server.listen(name);
  } finally {
    process.umask(umask);
  }
  await once(server, "listening");
  await rename(name, path);
}

/** Rejects with `SocketError` unless a path is free, or has the socket of a process that is gone. */
async function requireFree(path: string): Promise<void> {
  const found = await lstat(path).catch(undefinedIfAbsent);
  if (found === undefined) return;
  if (!found.isSocket()) throw new SocketError("not-a-socket", `${path} is there and is no socket`);
  if (await isListening(path)) throw new SocketError("in-use", `another agent listens on ${path}`);
}

async function isListening(path: string): Promise<boolean> {
  const socket = connect(path);
  try {
    await once(socket, "connect");
    return true;
  } catch (error) {
    // Another user's may be alive.
    return systemErrorCode(error) !== "ECONNREFUSED" && systemErrorCode(error) !== "ENOENT";
  } finally {
    socket.destroy();
  }
}

function undefinedIfAbsent(error: unknown): undefined {
  if (systemErrorCode(error) === "ENOENT") return undefined;
  throw error;
}
