import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { pipeline } from "node:stream/promises";

import { errorText, systemErrorCode } from "@slipway/runtime";

import { CommandError } from "../../command/errors.ts";
import { type Forward, localText } from "./forward-spec.ts";

/** The maximum number of concurrent connections of a local address; further ones are closed immediately. */
const maxConnections = 16_384;

/** The parts that a forward uses. */
export interface TcpForwardNeeds {
  /** Connects to a port of the workspace. */
  readonly dial: (port: number, signal: AbortSignal) => Promise<Duplex>;
  /** Reports a connection that could not be forwarded. */
  readonly report: (text: string) => void;
}

/** Listens on the local end of a forward and carries its connections. Its opener disposes of it. */
export class TcpForward implements AsyncDisposable {
  readonly #forward: Forward;
  readonly #needs: TcpForwardNeeds;
  readonly #servers: Server[] = [];
  readonly #sockets = new Set<Socket>();
  readonly #ended = new AbortController();

  private constructor(forward: Forward, needs: TcpForwardNeeds) {
    this.#forward = forward;
    this.#needs = needs;
  }

  /** Throws `CommandError` if it cannot listen on the local address. */
  static async open(forward: Forward, needs: TcpForwardNeeds): Promise<TcpForward> {
    const opened = new TcpForward(forward, needs);
    try {
      await opened.#listen(forward.address ?? "127.0.0.1");
      if (forward.address === undefined) await opened.#listen("::1").catch(ignoreAbsentAddress);
      return opened;
    } catch (error) {
      await opened[Symbol.asyncDispose]();
      throw listenFailure(forward, error);
    }
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
    server.listen({ host, port: this.#forward.localPort, exclusive: true });
    await once(server, "listening");
    // Later errors concern single connections, such as one beyond the limit of open files.
    server.on("error", (error) => this.#needs.report(`cannot accept: ${errorText(error)}`));
    this.#servers.push(server);
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
    const { remotePort } = this.#forward;
    try {
      return await this.#needs.dial(remotePort, AbortSignal.any([gone, this.#ended.signal]));
    } catch (error) {
      if (gone.aborted || this.#ended.signal.aborted) return undefined;
      this.#needs.report(
        systemErrorCode(error) === "refused"
          ? `port ${remotePort} of the workspace refused the connection`
          : `cannot connect to port ${remotePort} of the workspace: ${errorText(error)}`,
      );
      return undefined;
    }
  }
}

/** Returns the error for a local address on which it cannot listen, for TCP or UDP. */
export function listenFailure(forward: Forward, cause: unknown): CommandError {
  const code = systemErrorCode(cause);
  const problem = listenProblems.get(code ?? "") ?? errorText(cause);
  return new CommandError(
    `cannot listen on ${localText(forward)} (--${forward.protocol}): ${problem}`,
    code === "EADDRINUSE" || code === "EACCES"
      ? { hint: `use another local port, such as --${forward.protocol} ${otherPort(forward)}` }
      : {},
  );
}

const listenProblems: ReadonlyMap<string, string> = new Map([
  ["EADDRINUSE", "the port is in use"],
  ["EACCES", "not allowed for this user"],
  ["EADDRNOTAVAIL", "this machine has no such address"],
]);

/** Returns the same forward with a local port that is likely free: above those that need privileges. */
function otherPort({ localPort, remotePort }: Forward): string {
  const other = localPort < 1024 ? localPort + 8000 : localPort === 65_535 ? 8080 : localPort + 1;
  return `${other}:${remotePort}`;
}

/** On a machine without IPv6, the other loopback address is enough. */
export function ignoreAbsentAddress(error: unknown): void {
  const code = systemErrorCode(error);
  if (code !== "EADDRNOTAVAIL" && code !== "EAFNOSUPPORT") throw error;
}
