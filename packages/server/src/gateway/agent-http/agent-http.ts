import { type ClientRequest, type IncomingMessage, request as openRequest } from "node:http";
import { type Duplex, Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

import { type Clock, countText, errorText, readBounded, withDeadline } from "@slipway/runtime";
import { WebSocket } from "ws";

import type { AgentReach } from "../../network/own-peer/own-peer.ts";
import { Refusal, Unreachable } from "../../platform/errors/errors.ts";
import { asSocket, ConnectionPool } from "./connection-pool.ts";
import { readRefusal } from "./refusals.ts";

/** The port of an agent's HTTP API (docs/protocol/agent.md §8). */
const apiPort = 4;
/** The maximum number of connections to one agent that carry requests; further requests wait. */
const maxOpenPerAgent = 64;
/** The maximum number of unused connections that are kept to one agent, and in total. */
const maxUnusedPerAgent = 8;
const maxUnused = 1_024;
/** The time to reach an agent and connect to it. */
const dialTimeoutMs = 25_000;
/** The default time from a request to the header of its answer. */
const usualTimeoutMs = 20_000;
const maxHeaderBytes = 16 * 1024;
/** The default maximum size of a JSON answer, in bytes; agents are not trusted. */
const usualAnswerBytes = 4 * 1024 * 1024;

/** A request to the HTTP API of an agent. */
export interface AgentCall {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  /** The path with its query. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** A stream is read as fast as the agent takes it, and destroyed if the request fails. */
  readonly body?: Uint8Array | Readable;
  /** The time from the last byte of the request to the header of the answer, in milliseconds (default: 20 s). */
  readonly timeoutMs?: number;
  /** True if the agent carries the request out once even if it comes twice (default: only for GET). */
  readonly isRepeatable?: boolean;
  readonly signal: AbortSignal;
}

/** A request whose answer is JSON. */
export interface AgentJsonCall extends Omit<AgentCall, "body"> {
  /** The body, as JSON. */
  readonly json?: unknown;
  readonly maxAnswerBytes?: number;
}

/** A WebSocket of an agent. */
export interface AgentSocketCall {
  readonly path: string;
  /** The maximum size of a message from the agent, in bytes. */
  readonly maxMessageBytes: number;
  readonly signal: AbortSignal;
}

/** Returns a query with its question mark, for the path of a call; empty if it has no fields. */
export function queryText(query: Readonly<Record<string, string | undefined>>): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) search.append(name, value);
  }
  return search.size === 0 ? "" : `?${String(search)}`;
}

interface AgentHttpNeeds {
  readonly reach: AgentReach;
  readonly clock: Pick<Clock, "sleep">;
}

/**
 * An agent that was reached, but did not answer. `wasSent` is false if the request certainly did not arrive; otherwise
 * the agent may have carried it out.
 */
export class Unanswered extends Unreachable {
  readonly wasSent: boolean;

  constructor(detail: string, options: { readonly wasSent: boolean; readonly cause?: unknown }) {
    super("The agent did not answer.", {
      detail,
      cause: options.cause,
      facts: {
        code: "unanswered",
        retryable: true,
        admitted: options.wasSent ? "unknown" : "no",
      },
    });
    this.wasSent = options.wasSent;
  }
}

/**
 * Requests to the HTTP APIs of agents through the server's own peer, over connections that are kept for the next
 * request. The caller has checked that the user may reach the agent. Redirects are not followed. Every method throws the
 * errors of an unreachable agent, `Unanswered`, the refusal that the agent answers, and the signal's reason.
 */
export class AgentHttp implements Disposable {
  readonly #needs: AgentHttpNeeds;
  readonly #pools = new Map<string, ConnectionPool>();
  #unused = 0;

  constructor(needs: AgentHttpNeeds) {
    this.#needs = needs;
  }

  /** Sends a request and reads its answer as JSON; undefined if the answer has no body. */
  async json(agentId: string, call: AgentJsonCall): Promise<unknown> {
    const { json, maxAnswerBytes = usualAnswerBytes, headers, ...rest } = call;
    const answer = await this.open(agentId, {
      ...rest,
      headers: json === undefined ? { ...headers } : { ...headers, ...jsonHeaders },
      ...(json === undefined ? {} : { body: Buffer.from(JSON.stringify(json)) }),
    });
    const body = await inTime(answer, rest.timeoutMs ?? usualTimeoutMs, (whole) =>
      readBounded(whole, maxAnswerBytes),
    );
    rest.signal.throwIfAborted();
    if (body === undefined) {
      const detail = `the answer has more than ${maxAnswerBytes} bytes`;
      throw new Unreachable("The agent's answer is too large.", { detail });
    }
    return body.length === 0 ? undefined : parseJson(body.toString());
  }

  /**
   * Sends a request and resolves to its answer, whose body the caller reads to its end or destroys. The signal ends the
   * body too.
   */
  async open(agentId: string, call: AgentCall): Promise<IncomingMessage> {
    const { timeoutMs = usualTimeoutMs, signal } = call;
    signal.throwIfAborted();
    const { sent, answer } = await this.#answer(agentId, call).catch((error: unknown) => {
      signal.throwIfAborted();
      throw error;
    });
    const { statusCode: status = 0 } = answer;
    if (status >= 200 && status < 300) return answer;
    try {
      throw await inTime(answer, timeoutMs, readRefusal);
    } finally {
      // An agent that has refused a request need not read the rest of its body.
      if (!sent.writableFinished) sent.destroy();
    }
  }

  /** Opens a WebSocket on a separate connection, which the caller closes. It is paused. */
  async openSocket(agentId: string, call: AgentSocketCall): Promise<WebSocket> {
    const { path, maxMessageBytes, signal } = call;
    const stream = await this.#dial(agentId, signal);
    const socket = new WebSocket(`ws://agent${path}`, {
      createConnection: () => stream,
      perMessageDeflate: false,
      maxPayload: maxMessageBytes,
      handshakeTimeout: usualTimeoutMs,
    });
    const { promise, resolve, reject } = Promise.withResolvers<WebSocket>();
    const abort = (): void => socket.terminate();
    signal.addEventListener("abort", abort, { once: true });
    socket.once("open", () => {
      socket.pause();
      resolve(socket);
    });
    socket.once("unexpected-response", (request, answer) => {
      inTime(answer, usualTimeoutMs, readRefusal)
        .then(reject, reject)
        .finally(() => request.destroy());
    });
    socket.on("error", (cause) => {
      reject(new Unanswered(errorText(cause), { wasSent: true, cause }));
    });
    try {
      return await promise;
    } catch (error) {
      stream.destroy();
      signal.throwIfAborted();
      throw error;
    } finally {
      signal.removeEventListener("abort", abort);
    }
  }

  [Symbol.dispose](): void {
    for (const pool of this.#pools.values()) pool.destroy();
    this.#pools.clear();
  }

  async #answer(agentId: string, call: AgentCall): Promise<Answered> {
    const { method, body, isRepeatable = method === "GET" } = call;
    const attempt = send(this.#pool(agentId), call);
    try {
      return await attempt.answer;
    } catch (error) {
      // The agent may have closed a kept connection before the request arrived there.
      const mayRepeat = attempt.sent.reusedSocket && isRepeatable && !(body instanceof Readable);
      if (!mayRepeat || call.signal.aborted) throw error;
      return send(this.#pool(agentId), call).answer;
    }
  }

  #pool(agentId: string): ConnectionPool {
    const found = this.#pools.get(agentId);
    if (found !== undefined) return found;
    const pool: ConnectionPool = new ConnectionPool({
      dial: () =>
        withDeadline(dialTimeoutMs, this.#needs.clock, (limit) => this.#dial(agentId, limit)),
      maxOpen: maxOpenPerAgent,
      maxUnused: maxUnusedPerAgent,
      mayKeep: () => this.#unused < maxUnused,
      onUnused: (change) => {
        this.#unused += change;
      },
      onEmpty: () => {
        if (this.#pools.get(agentId) === pool) this.#pools.delete(agentId);
      },
    });
    this.#pools.set(agentId, pool);
    return pool;
  }

  async #dial(agentId: string, signal: AbortSignal): Promise<Duplex> {
    const agent = await this.#needs.reach.reachAgent(agentId, signal);
    return asSocket(await agent.dial(apiPort, signal));
  }
}

const jsonHeaders = { "content-type": "application/json" };

interface Answered {
  readonly sent: ClientRequest;
  readonly answer: IncomingMessage;
}

interface Attempt {
  readonly sent: ClientRequest;
  readonly answer: Promise<Answered>;
}

function send(pool: ConnectionPool, call: AgentCall): Attempt {
  const { method, path, headers = {}, body, timeoutMs = usualTimeoutMs, signal } = call;
  const { promise, resolve, reject } = Promise.withResolvers<Answered>();
  const sent = openRequest({
    agent: pool,
    host: "agent",
    method,
    path,
    headers: body instanceof Uint8Array ? { ...headers, "content-length": body.length } : headers,
    maxHeaderSize: maxHeaderBytes,
    signal,
  });
  let wasSent = false;
  let late: NodeJS.Timeout | undefined;
  // Connecting has its own limit.
  sent.once("socket", () => {
    wasSent = true;
    const giveUp = (): void => {
      sent.destroy(new Error(`no answer within ${countText(timeoutMs / 1000, "second")}`));
    };
    late = setTimeout(giveUp, timeoutMs);
  });
  let isAnswered = false;
  sent.once("response", (answer) => {
    isAnswered = true;
    clearTimeout(late);
    resolve({ sent, answer });
  });
  const fail = (cause?: unknown): void => {
    clearTimeout(late);
    const detail = cause === undefined ? "the connection ended" : errorText(cause);
    reject(cause instanceof Refusal ? cause : new Unanswered(detail, { wasSent, cause }));
  };
  sent.on("error", fail);
  sent.once("close", () => {
    if (!isAnswered) fail();
  });
  if (!(body instanceof Readable)) {
    sent.end(body);
    return { sent, answer: promise };
  }
  body.on("data", () => late?.refresh());
  // A failure ends the request, which reports it.
  pipeline(body, sent).catch(() => undefined);
  return { sent, answer: promise };
}

/** Reads an answer, which must end in time. */
async function inTime<T>(
  answer: IncomingMessage,
  timeoutMs: number,
  read: (answer: IncomingMessage) => Promise<T>,
): Promise<T> {
  const late = setTimeout(() => {
    answer.destroy(new Error(`the answer did not end within ${timeoutMs / 1000} s`));
  }, timeoutMs);
  try {
    return await read(answer);
  } catch (cause) {
    throw new Unanswered(errorText(cause), { wasSent: true, cause });
  } finally {
    clearTimeout(late);
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Unreachable("The agent's answer is malformed.", { detail: "it is not JSON", cause });
  }
}
