import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { dirname } from "node:path";

import { CodedError, type Logger, systemErrorCode } from "@slipway/runtime";
import { makeDirectories } from "@slipway/runtime/make-directories";

import { kindOfFile, listenOnFile, type SocketFile } from "../connections/socket-file.ts";
import { socketCalls, type SocketState } from "./socket-calls.ts";
import { serveSocketConnection } from "./socket-connection.ts";

/** The maximum number of connections; a further one replaces the one that has been silent for longest. */
export const maxSocketConnections = 128;

export interface AgentSocketOptions {
  readonly path: string;
  readonly state: SocketState;
  readonly logger: Logger;
}

/** The agent's unix socket, on which programs of its user call it (docs/protocol/agent.md §10). */
export class AgentSocketServer implements AsyncDisposable {
  readonly #server: Server;
  readonly #file: SocketFile;
  /** The connection that spoke last is last. */
  readonly #connections: Set<Socket>;

  private constructor(server: Server, file: SocketFile, connections: Set<Socket>) {
    this.#server = server;
    this.#file = file;
    this.#connections = connections;
  }

  /**
   * Opens the socket for this user only, and replaces that of a dead agent. Rejects with `SocketError` if another
   * process listens on the path or the path names something else, and with the system's error.
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
    const file = await listenOnFile(server, path);
    // Later errors, such as too many open files, affect only one connection.
    server.on("error", (error) => logger.warn({ error: error.message }, "agent socket failed"));
    return new AgentSocketServer(server, file, connections);
  }

  /** Ends all connections and removes the file. Idempotent. */
  async close(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = once(this.#server, "close");
    this.#server.close();
    for (const socket of this.#connections) socket.destroy();
    await this.#file.remove();
    await closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/** The agent's socket cannot be opened. */
class SocketError extends CodedError<"in-use" | "not-a-socket"> {
  override readonly name = "SocketError";
}

/** Rejects with `SocketError` unless the path is free or names the socket of a dead process. */
async function requireFree(path: string): Promise<void> {
  const found = await kindOfFile(path);
  if (found === undefined) return;
  if (found === "other") throw new SocketError("not-a-socket", `${path} is not a socket`);
  if (await isListening(path)) throw new SocketError("in-use", `another agent listens on ${path}`);
}

async function isListening(path: string): Promise<boolean> {
  const socket = connect(path);
  try {
    await once(socket, "connect");
    return true;
  } catch (error) {
    // Another user's socket may be in use.
    return systemErrorCode(error) !== "ECONNREFUSED" && systemErrorCode(error) !== "ENOENT";
  } finally {
    socket.destroy();
  }
}
