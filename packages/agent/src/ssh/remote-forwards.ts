import { rm } from "node:fs/promises";
import { createServer, type ListenOptions, type Server, type Socket } from "node:net";
import { dirname } from "node:path";

import { makeDirectories } from "@slipway/runtime/make-directories";
import type { Connection, ServerChannel } from "ssh2";

import { type ForwardingConnection, joinChannel } from "./join-channel.ts";

/** The ports and sockets that one client may have us listen on. */
const maxListeners = 64;
/** The connections to one of them at once. */
const maxConnections = 256;
/** The mode of the directories that are made for a socket. */
const directoryMode = 0o700;

/** The answers to a request. */
interface Answers {
  readonly accept: (port?: number) => void;
  readonly reject: () => void;
}

/** The answers as ssh2 has them; absent if the client wants none. */
type PossibleAnswers = { readonly [Name in keyof Answers]: Answers[Name] | undefined };

type Opened = (error: Error | undefined, channel: ServerChannel) => void;

/**
 * Listens on ports and Unix sockets of the workspace for the client (docs/protocol/agent.md §6.6). Returns a function that
 * reports whether a request of it is still to be answered.
 */
export function serveRemoteForwards(
  client: Connection,
  connection: ForwardingConnection,
  isBlocked: boolean,
): () => boolean {
  const forwards = new RemoteForwards(connection);
  let unanswered = 0;
  client.on("request", (accept, reject, name, info) => {
    unanswered += 1;
    const answers = onceAnswered({ accept, reject }, () => void (unanswered -= 1));
    if ("bindAddr" in info) {
      const { bindAddr, bindPort } = info;
      if (name.startsWith("cancel")) forwards.cancel(portKey(bindAddr, bindPort), answers);
      else if (isBlocked) answers.reject();
      else {
        forwards.listenOnPort(bindAddr, bindPort, answers, (socket, opened) => {
          const { remoteAddress = "", remotePort = 0, localPort = 0 } = socket;
          client.forwardOut(bindAddr, localPort, remoteAddress, remotePort, opened);
        });
      }
      return;
    }
    const { socketPath } = info;
    if (name.startsWith("cancel")) forwards.cancel(socketPath, answers);
    else if (isBlocked) answers.reject();
    else {
      forwards.listenOnSocket(socketPath, answers, (_, opened) =>
        client.openssh_forwardOutStreamLocal(socketPath, opened),
      );
    }
  });
  return () => unanswered > 0;
}

/** Returns the answers to a request, either of which calls `done`; the first one counts. */
function onceAnswered({ accept, reject }: PossibleAnswers, done: () => void): Answers {
  let isAnswered = false;
  const answer = (send: () => void): void => {
    if (isAnswered) return;
    isAnswered = true;
    done();
    send();
  };
  return {
    accept: (port) => answer(() => accept?.(port)),
    reject: () => answer(() => reject?.()),
  };
}

/** The listeners of one connection, which end with it. */
class RemoteForwards {
  readonly #connection: ForwardingConnection;
  readonly #listeners = new Map<string, Server>();
  /** Resolves when the requests for sockets are answered, one after the other: each removes what is at its path. */
  #socketsAnswered = Promise.resolve();

  constructor(connection: ForwardingConnection) {
    this.#connection = connection;
    const close = (): void => {
      for (const server of this.#listeners.values()) server.close();
      this.#listeners.clear();
    };
    connection.ended.addEventListener("abort", close, { once: true });
  }

  listenOnPort(
    bindAddr: string,
    port: number,
    answers: Answers,
    open: (socket: Socket, opened: Opened) => void,
  ): void {
    const server = this.#create(open);
    void this.#listen(server, portKey(bindAddr, port), { ...hostOf(bindAddr), port }, answers);
  }

  listenOnSocket(
    path: string,
    answers: Answers,
    open: (socket: Socket, opened: Opened) => void,
  ): void {
    this.#socketsAnswered = this.#socketsAnswered.then(async () => {
      // Asked again, it is there already.
      if (this.#listeners.has(path)) {
        answers.accept();
        return;
      }
      try {
        await makeDirectories(dirname(path), directoryMode);
        await rm(path, { force: true });
      } catch {
        answers.reject();
        return;
      }
      await this.#listen(this.#create(open), path, { path }, answers);
    });
  }

  cancel(key: string, { accept, reject }: Answers): void {
    const server = this.#listeners.get(key);
    this.#listeners.delete(key);
    server?.close();
    // A socket that is not there is as good as gone.
    if (server === undefined && !key.startsWith("/")) reject();
    else accept();
  }

  #create(open: (socket: Socket, opened: Opened) => void): Server {
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      socket.on("error", () => undefined);
      open(socket, (error, channel) => {
        if (error === undefined) void joinChannel(channel, socket, this.#connection);
        else socket.destroy();
      });
    });
    server.maxConnections = maxConnections;
    return server;
  }

  /** Resolves when the request is answered. */
  async #listen(
    server: Server,
    key: string,
    where: ListenOptions,
    { accept, reject }: Answers,
  ): Promise<void> {
    const { ended } = this.#connection;
    if (this.#listeners.has(key) || this.#listeners.size >= maxListeners || ended.aborted) {
      reject();
      return;
    }
    this.#listeners.set(key, server);
    try {
      await listening(server, where);
      const address = server.address();
      accept(typeof address === "object" ? address?.port : undefined);
    } catch {
      if (this.#listeners.get(key) === server) this.#listeners.delete(key);
      reject();
    }
  }
}

/** Rejects also for what is no address or port. */
function listening(server: Server, where: ListenOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.on("error", reject);
    // Closed before it listens, it is of no use.
    server.once("close", reject);
    server.listen(where, () => resolve());
  });
}

/** A client that asked for any port names none when it cancels. */
function portKey(bindAddr: string, port: number): string {
  return `${bindAddr}:${port}`;
}

/** Returns the address to listen on; none for all (RFC 4254, 7.1). */
function hostOf(bindAddr: string): { readonly host?: string } {
  if (bindAddr === "" || bindAddr === "*") return {};
  return { host: bindAddr === "localhost" ? "127.0.0.1" : bindAddr };
}
