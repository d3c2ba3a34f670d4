import type { Agent } from "node:http";
import type { Duplex } from "node:stream";
import { connect, type TLSSocket } from "node:tls";

import { type Clock, withDeadline } from "@slipway/runtime";

import type { AgentReach } from "../../network/own-peer/own-peer.ts";
import { asSocket, ConnectionPool } from "../agent-http/connection-pool.ts";
import type { OpenedApp } from "./app-access.ts";

/** The maximum number of unused connections that are kept for each viewer of an app. */
const maxUnusedPerViewer = 8;
/** The maximum number of unused connections that are kept in total. */
const maxUnused = 1_024;
/** The time to reach an agent and connect to it. */
const dialTimeoutMs = 25_000;

interface AppConnectionsNeeds {
  readonly reach: AgentReach;
  readonly clock: Clock;
}

/** The place of an app in its workspace. */
type AppPlace = Pick<OpenedApp, "agentId" | "url">;

/**
 * Connections to apps through their agents: kept for the next request of the same viewer, by agent, port and protocol.
 * If a request makes an app misread the next one, only the same viewer is affected.
 */
export class AppConnections implements Disposable {
  readonly #needs: AppConnectionsNeeds;
  readonly #pools = new Map<string, ConnectionPool>();
  #unused = 0;

  constructor(needs: AppConnectionsNeeds) {
    this.#needs = needs;
  }

  /** The unused connections. */
  get unused(): number {
    return this.#unused;
  }

  /**
   * Returns the connections of a viewer to an app, for the requests of Node.js; each is opened on demand. None is
   * kept for viewers that cannot be distinguished from others.
   */
  to(app: AppPlace, identity: string | undefined): Agent {
    const { protocol, port } = app.url;
    const key = `${app.agentId} ${port} ${protocol} ${identity ?? ""}`;
    const found = this.#pools.get(key);
    if (found !== undefined) return found;
    const pool: ConnectionPool = new ConnectionPool({
      maxUnused: maxUnusedPerViewer,
      dial: () => this.#dial(app),
      mayKeep: () => identity !== undefined && this.#unused < maxUnused,
      onUnused: (change) => {
        this.#unused += change;
      },
      onEmpty: () => {
        if (this.#pools.get(key) === pool) this.#pools.delete(key);
      },
    });
    this.#pools.set(key, pool);
    return pool;
  }

  [Symbol.dispose](): void {
    for (const pool of this.#pools.values()) pool.destroy();
    this.#pools.clear();
  }

  async #dial({ agentId, url }: AppPlace): Promise<Duplex> {
    const { reach, clock } = this.#needs;
    return withDeadline(dialTimeoutMs, clock, async (signal) => {
      const agent = await reach.reachAgent(agentId, signal);
      const stream = await agent.dial(url.port, signal);
      return url.protocol === "https" ? secure(stream, signal) : asSocket(stream);
    });
  }
}

/**
 * Speaks TLS with an app. Its certificate is not verified: the tunnel leads to the agent, and no authority vouches for
 * the name of the app.
 */
async function secure(stream: Duplex, signal: AbortSignal): Promise<TLSSocket> {
  const { promise, resolve, reject } = Promise.withResolvers<TLSSocket>();
  const socket = connect({
    socket: stream,
    rejectUnauthorized: false,
    ALPNProtocols: ["http/1.1"],
  });
  const fail = (error: unknown): void => {
    socket.destroy();
    stream.destroy();
    reject(error);
  };
  const abort = (): void => fail(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  socket.once("error", fail);
  socket.once("close", () =>
    fail(new Error("the app closed the connection during the TLS handshake")),
  );
  socket.once("secureConnect", () => resolve(socket));
  try {
    return await promise;
  } finally {
    signal.removeEventListener("abort", abort);
    socket.off("error", fail);
  }
}
