import { Agent, type ClientRequest } from "node:http";
import type { Duplex } from "node:stream";

/**
 * The time for which an unused connection is kept: shorter than that after which the usual servers close it, so that no
 * request meets the close.
 */
const unusedMs = 4_000;

interface ConnectionPoolOptions {
  readonly dial: () => Promise<Duplex>;
  /** The maximum number of connections in use; further requests wait (default: no limit). */
  readonly maxOpen?: number;
  readonly maxUnused: number;
  /** Returns whether one more unused connection may be kept. */
  readonly mayKeep: () => boolean;
  readonly onUnused: (change: 1 | -1) => void;
  readonly onEmpty: () => void;
}

/** The connections to one port of one agent, for the requests of Node.js: each is opened on demand and kept for a while. */
export class ConnectionPool extends Agent {
  readonly #options: ConnectionPoolOptions;
  readonly #unused = new Map<Duplex, () => void>();
  #open = 0;

  constructor(options: ConnectionPoolOptions) {
    super({
      keepAlive: true,
      maxFreeSockets: options.maxUnused,
      maxSockets: options.maxOpen ?? Infinity,
      scheduling: "lifo",
    });
    this.#options = options;
  }

  /** All go to the same place, whatever the request says. */
  override getName(): string {
    return "";
  }

  override createConnection(
    _options: object,
    done?: (error: Error | null, stream: Duplex) => void,
  ): undefined {
    this.#open += 1;
    const closed = (): void => {
      this.#open -= 1;
      if (this.#open === 0) this.#options.onEmpty();
    };
    this.#options.dial().then(
      (stream) => {
        stream.once("close", closed);
        done?.(null, stream);
      },
      (error: unknown) => {
        closed();
        // Node.js uses only the error.
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- there is no stream
        done?.(error instanceof Error ? error : new Error(String(error)), undefined as never);
      },
    );
    return undefined;
  }

  override keepSocketAlive(stream: Duplex): boolean {
    if (!this.#options.mayKeep()) return false;
    const timer = setTimeout(() => stream.destroy(), unusedMs);
    const end = (): void => {
      if (!this.#unused.delete(stream)) return;
      clearTimeout(timer);
      stream.off("close", end);
      this.#options.onUnused(-1);
    };
    this.#unused.set(stream, end);
    stream.once("close", end);
    this.#options.onUnused(1);
    return true;
  }

  override reuseSocket(stream: Duplex, request: ClientRequest): void {
    this.#unused.get(stream)?.();
    super.reuseSocket(stream, request);
  }
}

/** Adds the method of sockets that Node.js calls when it uses a connection again. */
export function asSocket(stream: Duplex): Duplex {
  return Object.assign(stream, { ref: () => stream });
}
