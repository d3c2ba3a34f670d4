import { createServer, type ListenOptions, type Server, type Socket } from "node:net";
import { dirname } from "node:path";

import { makeDirectories } from "@slipway/runtime/make-directories";
import type { Connection, ServerChannel } from "ssh2";

import { kindOfFile, listenOnFile } from "../../connections/socket-file.ts";
import { fileTurns } from "../../process/turns.ts";
import { SshError } from "../errors.ts";
import { type ForwardingConnection, joinChannel, takeSocket } from "./join-channel.ts";

/** The maximum number of ports and sockets that listen for a client. */
const maxListeners = 64;
/** The maximum number of connections to one of them. */
const maxConnections = 256;
/** The mode of directories created for a socket. */
const directoryMode = 0o700;

/** The answers to a request. */
interface Answers {
  readonly accept: (port?: number) => void;
  readonly reject: () => void;
}

/** The answers as ssh2 passes them; absent if the client wants none. */
type PossibleAnswers = { readonly [Name in keyof Answers]: Answers[Name] | undefined };

type ChannelCallback = (error: Error | undefined, channel: ServerChannel) => void;

/**
 * Listens on ports and Unix sockets of the workspace for the client (docs/protocol/agent.md §6.6). Returns a function that
 * reports whether a request is unanswered.
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
      if (name.startsWith("cancel")) forwards.cancelPort(bindAddr, bindPort, answers);
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

/** Wraps the answers to a request: the first one counts, and calls `done`. */
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

/** A port or socket that listens for the client. */
interface Listener {
  readonly server: Server;
  readonly descriptor: Disposable;
  /** Removes the file of a socket; set once it exists. */
  removeFile: () => void;
}

/** The listeners of one connection, which end with it. */
class RemoteForwards {
  readonly #connection: ForwardingConnection;
  readonly #listeners = new Map<string, Listener>();
  /** Resolves when all requests for sockets are answered. They run one at a time, as each replaces an existing socket. */
  #socketsAnswered = Promise.resolve();

  constructor(connection: ForwardingConnection) {
    this.#connection = connection;
    const close = (): void => {
      for (const key of this.#listeners.keys()) this.#close(key);
    };
    connection.ended.addEventListener("abort", close, { once: true });
  }

  listenOnPort(
    bindAddr: string,
    port: number,
    answers: Answers,
    open: (socket: Socket, opened: ChannelCallback) => void,
  ): void {
    void this.#listen(portKey(bindAddr, port), open, answers, async ({ server }) =>
      listening(server, { ...hostOf(bindAddr), port }),
    );
  }

  listenOnSocket(
    path: string,
    answers: Answers,
    open: (socket: Socket, opened: ChannelCallback) => void,
  ): void {
    this.#socketsAnswered = this.#socketsAnswered.then(async () => {
      // A repeated request: the socket already listens.
      if (this.#listeners.has(path)) {
        answers.accept();
        return;
      }
      await this.#listen(path, open, answers, async (listener) => {
        const found = await fileTurns.run(this.#connection.output, async () => {
          await makeDirectories(dirname(path), directoryMode);
          return kindOfFile(path);
        });
        // An existing socket belongs to a client that has gone, even if its end is not yet known.
        if (found === "other") throw new SshError("refused", `${path} is not a socket`);
        const file = await listenOnFile(listener.server, path);
        listener.removeFile = () => void file.remove();
      });
    });
  }

  cancelPort(bindAddr: string, port: number, answers: Answers): void {
    const chosen = portOf(this.#listeners.get(portKey(bindAddr, anyPort)));
    this.cancel(portKey(bindAddr, chosen === port ? anyPort : port), answers);
  }

  cancel(key: string, { accept, reject }: Answers): void {
    const isThere = this.#close(key);
    // A socket that does not exist counts as canceled.
    if (isThere || key.startsWith("/")) accept();
    else reject();
  }

  /** Returns false if there is no such listener. */
  #close(key: string): boolean {
    const listener = this.#listeners.get(key);
    if (listener === undefined) return false;
    this.#listeners.delete(key);
    listener.removeFile();
    listener.server.close();
    listener.descriptor[Symbol.dispose]();
    return true;
  }

  #create(open: (socket: Socket, opened: ChannelCallback) => void): Server {
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      if (!takeSocket(socket, this.#connection)) return;
      open(socket, (error, channel) => {
        if (error === undefined) void joinChannel(channel, socket, this.#connection);
        else socket.destroy();
      });
    });
    server.maxConnections = maxConnections;
    // Later errors, such as too many open files, affect only one connection.
    server.on("error", () => undefined);
    return server;
  }

  /** Listens, if there is room and no such listener. Resolves when the request is answered. */
  async #listen(
    key: string,
    open: (socket: Socket, opened: ChannelCallback) => void,
    { accept, reject }: Answers,
    begin: (listener: Listener) => Promise<void>,
  ): Promise<void> {
    const { ended, descriptors } = this.#connection;
    const hasRoom = this.#listeners.size < maxListeners && !ended.aborted;
    const descriptor = hasRoom && !this.#listeners.has(key) ? descriptors.take(1) : undefined;
    if (descriptor === undefined) {
      reject();
      return;
    }
    const listener: Listener = {
      server: this.#create(open),
      descriptor,
      removeFile: () => undefined,
    };
    this.#listeners.set(key, listener);
    try {
      await begin(listener);
      // It was canceled in the meantime, or its client has gone.
      if (this.#listeners.get(key) !== listener) throw new SshError("closed", "no longer wanted");
      accept(portOf(listener));
    } catch {
      if (this.#listeners.get(key) === listener) this.#close(key);
      else {
        listener.removeFile();
        listener.server.close();
      }
      reject();
    }
  }
}

/** Also rejects for an invalid address or port. */
function listening(server: Server, where: ListenOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.on("error", reject);
    // It may be closed before it listens.
    server.once("close", reject);
    server.listen(where, () => resolve());
  });
}

/** The port of a request that leaves the choice to us. Its cancellation names that, or the one that we chose. */
const anyPort = 0;

function portOf(listener: Listener | undefined): number | undefined {
  const address = listener?.server.address();
  return typeof address === "object" ? address?.port : undefined;
}

function portKey(bindAddr: string, port: number): string {
  return `${bindAddr}:${port}`;
}

/** Returns the address to listen on; none for all (RFC 4254 §7.1). */
function hostOf(bindAddr: string): { readonly host?: string } {
  if (bindAddr === "" || bindAddr === "*") return {};
  return { host: bindAddr === "localhost" ? "127.0.0.1" : bindAddr };
}
