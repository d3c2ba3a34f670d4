import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { errorText, type Logger } from "@slipway/runtime";
import type { Connection } from "ssh2";

import { SshError } from "../errors.ts";
import { openAgentChannel } from "../ssh2/ssh2.ts";
import { type ForwardingConnection, joinChannel, takeSocket } from "./join-channel.ts";

/** The maximum number of programs that use the authentication agent. */
const maxAgentConnections = 64;

/** Makes the client's authentication agent available to the commands of its connection, by a private socket. */
export class AgentForward {
  readonly #client: Connection;
  readonly #connection: ForwardingConnection;
  readonly #logger: Logger;
  #socketPath: Promise<string | undefined> | undefined;

  constructor(client: Connection, connection: ForwardingConnection, logger: Logger) {
    this.#client = client;
    this.#connection = connection;
    this.#logger = logger;
  }

  /** Starts to listen. Idempotent. */
  begin(): void {
    this.#socketPath ??= this.#listen().catch((error: unknown) => {
      this.#logger.warn({ error: errorText(error) }, "cannot forward the authentication agent");
      return undefined;
    });
  }

  /** Resolves to the path of the socket; undefined if the client did not offer its agent, or has gone. */
  async socketPath(): Promise<string | undefined> {
    return this.#socketPath;
  }

  async #listen(): Promise<string | undefined> {
    const { ended } = this.#connection;
    const room = this.#connection.descriptors.take(1);
    if (room === undefined) throw new SshError("refused", "too many open files");
    ended.addEventListener("abort", () => room[Symbol.dispose](), { once: true });
    const directory = await mkdtemp(join(tmpdir(), "auth-agent"));
    const remove = (): void => void rm(directory, { recursive: true, force: true });
    if (ended.aborted) {
      remove();
      return undefined;
    }
    const path = join(directory, "listener.sock");
    const server = createServer({ allowHalfOpen: true }, (socket) => this.#take(socket));
    server.maxConnections = maxAgentConnections;
    const close = (): void => {
      server.close();
      remove();
    };
    ended.addEventListener("abort", close, { once: true });
    await listening(server, path);
    return path;
  }

  #take(socket: Socket): void {
    if (!takeSocket(socket, this.#connection)) return;
    openAgentChannel(this.#client, (error, channel) => {
      if (error === undefined) void joinChannel(channel, socket, this.#connection);
      else socket.destroy();
    });
  }
}

function listening(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, () => resolve());
  });
}
