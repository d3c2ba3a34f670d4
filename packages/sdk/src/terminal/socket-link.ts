import { openTerminal } from "@slipway/api/agents/pty-routes";
import { type Clock, Mailbox } from "@slipway/runtime";

import type { ApiClient } from "../http/client.ts";
import { ConnectError } from "../http/errors.ts";
import { createWebSocket } from "../stream/socket.ts";
import type { OpenTerminalLink, TerminalLink } from "./terminal-link.ts";

/** The maximum numbers of bytes and messages that wait for a slow reader of a terminal that does not wait for us. */
const maxWaitingBytes = 16 * 1024 * 1024;
const maxWaitingMessages = 65_536;
/** The silence after which a server that sends pulses is gone (docs/protocol/agent.md §7.1). */
const silenceMs = 30_000;
const lookMs = 5_000;

interface SocketNeeds {
  readonly client: ApiClient;
  readonly agentId: string;
  readonly clock: Clock;
}

/** Returns a function that connects terminals of an agent through the server (docs/protocol/rest.md §6.10). */
export function socketLinks({ client, agentId, clock }: SocketNeeds): OpenTerminalLink {
  return async (start, signal) => {
    const query = {
      reconnect: start.ID,
      width: String(start.Width),
      height: String(start.Height),
      command: start.Command,
      container: start.Container,
      container_user: start.ContainerUser,
      viewer: start.Viewer,
      received: start.Received === undefined ? undefined : String(start.Received),
    };
    const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== "");
    const url = client.url(openTerminal, {
      params: { agent: agentId },
      query: Object.fromEntries(given),
    });
    return SocketLink.open(url, { headers: client.headers, clock, signal });
  };
}

/** A connection of a terminal through the server, by a WebSocket. */
class SocketLink implements TerminalLink {
  readonly #socket: WebSocket;
  readonly #clock: Clock;
  readonly #messages = new Mailbox<Uint8Array>(maxWaitingMessages);
  readonly #closed = new AbortController();
  #waitingBytes = 0;
  end = "closed";

  private constructor(socket: WebSocket, clock: Clock) {
    this.#socket = socket;
    this.#clock = clock;
  }

  /** Connects. Throws `ConnectError`, and the signal's reason. */
  static async open(url: string, { headers, clock, signal }: LinkOptions): Promise<SocketLink> {
    signal.throwIfAborted();
    const socket = createWebSocket(url, headers);
    socket.binaryType = "arraybuffer";
    const link = new SocketLink(socket, clock);
    const opened = Promise.withResolvers<void>();
    const onAbort = (): void => opened.reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    socket.addEventListener("open", () => opened.resolve());
    socket.addEventListener("close", ({ code, reason }) => {
      const end = `closed with ${String(code)} ${reason}`.trim();
      opened.reject(new ConnectError(url, { cause: new Error(end) }));
      link.#finish(end);
    });
    socket.addEventListener("message", ({ data }: { readonly data: unknown }) => link.#take(data));
    try {
      await opened.promise;
      return link;
    } catch (error) {
      socket.close();
      throw error;
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  }

  send(message: object): void {
    if (this.#socket.readyState !== WebSocket.OPEN) return;
    this.#socket.send(new TextEncoder().encode(JSON.stringify(message)));
  }

  close(reason = "closed"): void {
    this.#finish(reason);
    this.#socket.close(1000);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const bytes of this.#messages) {
      this.#waitingBytes -= bytes.length;
      yield bytes;
    }
  }

  #take(data: unknown): void {
    if (typeof data === "string") return this.#watchPulse();
    if (!(data instanceof ArrayBuffer)) return undefined;
    this.#heard();
    const bytes = new Uint8Array(data);
    this.#waitingBytes += bytes.length;
    const isFull = this.#waitingBytes > maxWaitingBytes || this.#messages.offer(bytes) === "full";
    return isFull ? this.close("reader is too slow") : undefined;
  }

  #finish(reason: string): void {
    if (this.#closed.signal.aborted) return;
    this.end = reason;
    this.#closed.abort();
    this.#messages.close();
  }

  #heardAt = 0;
  #isWatching = false;

  #heard(): void {
    this.#heardAt = this.#clock.monotonic();
  }

  /** Watches for silence from the first pulse on: a browser does not notice that its network is gone. */
  #watchPulse(): void {
    this.#heard();
    if (this.#isWatching) return;
    this.#isWatching = true;
    void this.#watchSilence().catch(() => undefined);
  }

  async #watchSilence(): Promise<void> {
    while (this.#clock.monotonic() - this.#heardAt < silenceMs) {
      await this.#clock.sleep(lookMs, this.#closed.signal);
    }
    this.close("the server is silent");
  }
}

interface LinkOptions {
  readonly headers: Readonly<Record<string, string>>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}
