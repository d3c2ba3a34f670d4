import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { pipeline } from "node:stream/promises";

import { errorText, systemErrorCode } from "@slipway/runtime";

/** The maximum number of concurrent connections of a local address; further ones are closed immediately. */
const maxConnections = 16_384;

/** A local address, and the port of the workspace to which it leads. */
export interface ForwardedPort {
  /** The local address to listen on, without brackets; undefined for the loopback addresses. */
  readonly address: string | undefined;
  /** 0 for a free one. */
  readonly localPort: number;
  readonly remotePort: number;
}

/** The parts that a forward uses. */
export interface PortForwardNeeds {
  /** Connects to a port of the workspace. */
  readonly dial: (port: number, signal: AbortSignal) => Promise<Duplex>;
  /** Reports a connection that could not be forwarded. */
  readonly report: (text: string) => void;
}

/** Listens on the local end of a forward and carries its TCP connections. Its opener disposes of it. */
export class PortForward implements AsyncDisposable {
  readonly #needs: PortForwardNeeds;
  readonly #remotePort: number;
  readonly #servers: Server[] = [];
  readonly #sockets = new Set<Socket>();
  readonly #ended = new AbortController();
  #localPort: number;

  private constructor({ localPort, remotePort }: ForwardedPort, needs: PortForwardNeeds) {
    this.#needs = needs;
    this.#localPort = localPort;
    this.#remotePort = remotePort;
  }

  /** Throws the system's error if it cannot listen on the local address. */
  static async open(forward: ForwardedPort, needs: PortForwardNeeds): Promise<PortForward> {
    const opened = new PortForward(forward, needs);
    try {
      await opened.#listen(forward.address ?? "127.0.0.1");
      if (forward.address === undefined) await opened.#listen("::1").catch(ignoreAbsentAddress);
      return opened;
    } catch (error) {
      await opened[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** The port that it listens on. */
  get localPort(): number {
    return this.#localPort;
  }

  /** Stops listening and closes the connections. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended.abort();
    const closed = this.#servers.map((server) => once(server, "close"));
    for (const server of this.#servers) server.close();
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all(closed);
  }

  async #listen(host: string): Promise<void> {
    const options = { allowHalfOpen: true, pauseOnConnect: true, noDelay: true };
    const server = createServer(options, (socket) => void this.#carry(socket));
    server.maxConnections = maxConnections;
    server.on("drop", () => this.#needs.report(`more than ${maxConnections} connections`));
    server.listen({ host, port: this.#localPort, exclusive: true });
    await once(server, "listening");
    // Later errors concern single connections, such as one beyond the limit of open files.
    server.on("error", (error) => this.#needs.report(`cannot accept: ${errorText(error)}`));
    this.#servers.push(server);
    const address = server.address();
    if (typeof address === "object" && address !== null) this.#localPort = address.port;
  }

  /** Carries a connection until both directions have ended, or one has failed; never rejects. */
  async #carry(socket: Socket): Promise<void> {
    this.#sockets.add(socket);
    const gone = new AbortController();
    socket.on("close", () => {
      this.#sockets.delete(socket);
      gone.abort();
    });
    // The pipelines handle it; before they exist, `close` is enough.
    socket.on("error", () => undefined);
    const remote = await this.#dial(gone.signal);
    if (remote === undefined || socket.destroyed) {
      remote?.destroy();
      socket.resetAndDestroy();
      return;
    }
    // A truncated transfer must not look finished: the peer gets a reset, not an end.
    remote.on("error", () => socket.resetAndDestroy());
    await Promise.allSettled([pipeline(socket, remote), pipeline(remote, socket)]);
  }

  async #dial(gone: AbortSignal): Promise<Duplex | undefined> {
    const port = this.#remotePort;
    try {
      return await this.#needs.dial(port, AbortSignal.any([gone, this.#ended.signal]));
    } catch (error) {
      if (gone.aborted || this.#ended.signal.aborted) return undefined;
      this.#needs.report(
        systemErrorCode(error) === "refused"
          ? `port ${port} of the workspace refused the connection`
          : `cannot connect to port ${port} of the workspace: ${errorText(error)}`,
      );
      return undefined;
    }
  }
}

/** On a machine without IPv6, the other loopback address is enough. */
export function ignoreAbsentAddress(error: unknown): void {
  const code = systemErrorCode(error);
  if (code !== "EADDRNOTAVAIL" && code !== "EAFNOSUPPORT") throw error;
}
