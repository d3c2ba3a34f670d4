import { connect, createServer, type NetConnectOpts, type Socket } from "node:net";

import { type LocalServer, openLocalServer } from "./local-server.ts";
import { ProxyLink } from "./proxy-link.ts";

/** The destination of connections: a port, of this machine if no host is named, or the path of a socket. */
export type ProxyTarget =
  | { readonly port: number; readonly host?: string }
  | { readonly path: string };

/**
 * Forwards connections to the first of its targets that accepts, and lets a test break them. The opener disposes of
 * it.
 */
export class TcpProxy implements AsyncDisposable {
  readonly #server: LocalServer;
  readonly #links: Set<ProxyLink>;

  private constructor(server: LocalServer, links: Set<ProxyLink>) {
    this.#server = server;
    this.#links = links;
  }

  /**
   * Opens a proxy that calls `targets` for each connection; the first target that accepts it gets it. It listens on `address`
   * (default: 127.0.0.1).
   */
  static async open(targets: () => readonly ProxyTarget[], address?: string): Promise<TcpProxy> {
    const links = new Set<ProxyLink>();
    const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (near) => {
      void passOn(near, targets(), links);
    });
    return new TcpProxy(await openLocalServer(server, address), links);
  }

  get port(): number {
    return this.#server.port;
  }

  get url(): string {
    return this.#server.url;
  }

  /** Lists the connections that are open now. */
  get links(): readonly ProxyLink[] {
    return [...this.#links];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const link of this.#links) link.cut();
    await this.#server[Symbol.asyncDispose]();
  }
}

async function passOn(
  near: Socket,
  targets: readonly ProxyTarget[],
  links: Set<ProxyLink>,
): Promise<void> {
  for (const target of targets) {
    const far = await open({ host: "127.0.0.1", ...target, allowHalfOpen: true });
    if (far === undefined) continue;
    if (near.destroyed) {
      far.destroy();
      return;
    }
    const link: ProxyLink = new ProxyLink(near, far, () => links.delete(link));
    links.add(link);
    near.resume();
    return;
  }
  near.resetAndDestroy();
}

/** Resolves to undefined when no target accepts the connection. */
function open(options: NetConnectOpts): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = connect(options, () => resolve(socket));
    socket.once("error", () => resolve(undefined));
  });
}
