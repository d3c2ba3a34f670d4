import { Agent as PlainAgent, type IncomingMessage, request as plainRequest } from "node:http";
import { Agent as TlsAgent, request as tlsRequest } from "node:https";

import {
  type Clock,
  errorText,
  objectOf,
  parseObject,
  type JsonObject,
  readBounded,
  retry,
  systemErrorCode,
  textOf,
} from "@slipway/runtime";

import { ClusterError, DriverError } from "../errors.ts";
import type { ClusterEndpoint } from "./cluster-endpoint.ts";

export interface ClusterRequest {
  readonly method: "GET" | "POST" | "PATCH" | "DELETE";
  /** From the root of the API: `/api/v1/namespaces/dev/pods`. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | undefined>>;
  readonly body?: unknown;
  /** The type of the body (default: JSON). */
  readonly contentType?: string;
  readonly signal: AbortSignal;
}

/** The time in which the API server begins and continues an answer, in milliseconds. */
const defaultSilenceMs = 30_000;

/** The time for which requests are repeated while the API server is away or overloaded, in milliseconds. */
const patienceMs = 90_000;

const maxAnswerBytes = 16 * 1024 * 1024;
const maxErrorBytes = 64 * 1024;

/** The connections for requests; a watch opens a separate one. */
const maxSockets = 16;

/** The statuses with which an API server asks for patience. */
const busyStatuses: ReadonlySet<number> = new Set([429, 500, 502, 503, 504]);

interface ConnectionOptions {
  readonly clock: Clock;
  /** The time for which requests are repeated, in milliseconds (default: 90 s). */
  readonly patienceMs?: number;
}

/**
 * Sends requests to the API server of a Kubernetes cluster. Every function rejects with the signal's reason, with
 * `unavailable` if the server cannot be reached or is silent, and with `ClusterError` if it refuses.
 */
export class ClusterConnection implements Disposable {
  readonly endpoint: ClusterEndpoint;
  readonly #clock: Clock;
  readonly #patienceMs: number;
  readonly #tls: Readonly<Record<string, string | undefined>>;
  readonly #agent: PlainAgent | TlsAgent;

  constructor(endpoint: ClusterEndpoint, options: ConnectionOptions) {
    this.endpoint = endpoint;
    this.#clock = options.clock;
    this.#patienceMs = options.patienceMs ?? patienceMs;
    const { ca, certificate, serverName } = endpoint;
    this.#tls = { ca, servername: serverName, ...certificate };
    const Agent = this.#isPlain ? PlainAgent : TlsAgent;
    this.#agent = new Agent({ keepAlive: true, maxSockets });
  }

  /**
   * Sends a request and resolves to the object in the answer. Repeats it while the API server is away: every request of
   * ours can be sent twice.
   */
  async json(request: ClusterRequest): Promise<JsonObject> {
    const giveUpAt = this.#clock.now() + this.#patienceMs;
    return retry(() => this.#once(request), {
      clock: this.#clock,
      signal: request.signal,
      isRetryable: (error) => isTransient(error) && this.#clock.now() < giveUpAt,
    });
  }

  /**
   * Sends a request and resolves to the answer, whose body the caller reads or destroys. The connection breaks off when
   * nothing arrives for `silenceMs`.
   */
  async open(request: ClusterRequest, silenceMs: number): Promise<IncomingMessage> {
    const answer = await this.#send(request, { agent: false, silenceMs });
    const { statusCode: status = 0 } = answer;
    if (status < 400) return answer;
    throw await readRefusal(answer, status);
  }

  /** Returns what to throw for an error of the connection. */
  failure({ signal, path }: Pick<ClusterRequest, "path" | "signal">, error: unknown): unknown {
    if (signal.aborted) return signal.reason;
    if (error instanceof DriverError || error instanceof ClusterError) return error;
    return new DriverError(
      "unavailable",
      `no connection to Kubernetes at ${this.endpoint.url} (${path}): ${errorText(error)}`,
      { cause: error },
    );
  }

  /** Closes the connections that wait for requests. */
  [Symbol.dispose](): void {
    this.#agent.destroy();
  }

  get #isPlain(): boolean {
    return this.endpoint.url.startsWith("http:");
  }

  async #once(request: ClusterRequest): Promise<JsonObject> {
    const answer = await this.#send(request, { agent: this.#agent, silenceMs: defaultSilenceMs });
    const { statusCode: status = 0 } = answer;
    if (status >= 400) throw await readRefusal(answer, status);
    let body: Buffer | undefined;
    try {
      body = await readBounded(answer, maxAnswerBytes);
    } catch (error) {
      throw this.failure(request, error);
    }
    const parsed = body && parseObject(body.toString());
    if (parsed !== undefined) return parsed;
    const found = body === undefined ? `more than ${maxAnswerBytes} bytes` : "no JSON object";
    throw new DriverError("unavailable", `Kubernetes answered ${request.path} with ${found}`);
  }

  async #send(
    request: ClusterRequest,
    { agent, silenceMs }: { readonly agent: PlainAgent | false; readonly silenceMs: number },
  ): Promise<IncomingMessage> {
    const { method, path, query, body, contentType = "application/json", signal } = request;
    const { url, readToken } = this.endpoint;
    const token = await this.#readToken(readToken);
    signal.throwIfAborted();
    const text = body === undefined ? undefined : JSON.stringify(body);
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const send = this.#isPlain ? plainRequest : tlsRequest;
    const sent = send(`${url}${path}${queryText(query)}`, {
      ...this.#tls,
      method,
      agent,
      signal,
      headers: {
        Accept: "application/json",
        "User-Agent": "slipway",
        ...(token !== undefined && { Authorization: `Bearer ${token}` }),
        ...(text !== undefined && {
          "Content-Type": contentType,
          // Node.js sends a body of DELETE without it as the beginning of another request.
          "Content-Length": String(Buffer.byteLength(text)),
        }),
      },
    });
    const silent = `no answer within ${silenceMs / 1000} s`;
    sent.setTimeout(silenceMs, () => sent.destroy(new Error(silent)));
    sent.on("error", reject);
    sent.once("response", resolve);
    sent.end(text);
    try {
      return await promise;
    } catch (error) {
      // The server closed a kept connection while we began to use it.
      const isStale = sent.reusedSocket && systemErrorCode(error) === "ECONNRESET";
      if (isStale && !signal.aborted) return this.#send(request, { agent: false, silenceMs });
      throw this.failure(request, error);
    }
  }

  async #readToken(read: (() => Promise<string>) | undefined): Promise<string | undefined> {
    try {
      return await read?.();
    } catch (error) {
      const message = `cannot read the token for Kubernetes: ${errorText(error)}`;
      throw new DriverError("unavailable", message, { cause: error });
    }
  }
}

/** Returns whether the same request may succeed in a while. */
export function isTransient(error: unknown): boolean {
  if (!(error instanceof ClusterError)) return error instanceof DriverError && error.retryable;
  // Others changed the object, or the quota that it counts toward, at the same moment.
  return busyStatuses.has(error.status) || error.reason === "Conflict";
}

/** Returns whether the API server no longer has the version of a list or a watch. */
export function isExpired(error: unknown): boolean {
  return (
    error instanceof ClusterError &&
    (error.status === 410 || error.reason === "Expired" || error.reason === "Gone")
  );
}

function queryText(query: ClusterRequest["query"]): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value !== undefined) parameters.set(name, value);
  }
  return parameters.size === 0 ? "" : `?${parameters.toString()}`;
}

/** Reads the status object of an error; proxies in between send other texts. */
async function readRefusal(answer: IncomingMessage, status: number): Promise<ClusterError> {
  const body = await readBounded(answer, maxErrorBytes).catch(() => undefined);
  const parsed = objectOf(parseObject(body?.toString() ?? ""));
  return new ClusterError(status, textOf(parsed["reason"]), textOf(parsed["message"]));
}
