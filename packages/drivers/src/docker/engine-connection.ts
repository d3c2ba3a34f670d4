import {
  type ClientRequest,
  request as plainRequest,
  type IncomingMessage,
  type RequestOptions,
} from "node:http";
import { request as tlsRequest } from "node:https";
import { type Duplex, pipeline, Readable } from "node:stream";

import { errorText, readBounded, systemErrorCode, objectOf, textOf } from "@slipway/runtime";

import { DriverError, EngineError } from "../errors.ts";
import type { DockerEndpoint } from "./docker-options.ts";

export interface EngineRequest {
  readonly method: "GET" | "HEAD" | "POST" | "PUT" | "DELETE";
  /** Without the version. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | undefined>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** A value to send as JSON, or a stream to send as it is. */
  readonly body?: { readonly json: unknown } | { readonly tar: AsyncIterable<unknown> };
  readonly signal: AbortSignal;
  /** The time that the engine may be silent (default: two minutes); Infinity for a stream that never ends. */
  readonly silenceMs?: number;
}

/** A busy engine may take long to create or remove a container. */
const defaultSilenceMs = 120_000;

const maxAnswerBytes = 16 * 1024 * 1024;
const maxErrorBytes = 64 * 1024;

/**
 * Sends requests to a Docker Engine. Opens a connection for each one: over a Unix socket that costs nothing, and no
 * request meets a connection that the engine is just closing. Every function rejects with the signal's reason, with
 * `unavailable` if the engine cannot be reached or is silent, and with `EngineError` if it refuses.
 */
export class EngineConnection {
  readonly #endpoint: DockerEndpoint;
  readonly #prefix: string;

  /** `prefix` is the version as the beginning of every path: `/v1.41`, or empty. */
  constructor(endpoint: DockerEndpoint, prefix: string) {
    this.#endpoint = endpoint;
    this.#prefix = prefix;
  }

  /** Sends a request and resolves to the answer, whose body the caller reads or destroys. */
  async open(request: EngineRequest): Promise<IncomingMessage> {
    const answer = await this.#send(request);
    const { statusCode: status = 0 } = answer;
    if (status < 400) return answer;
    throw new EngineError(status, await readErrorMessage(answer));
  }

  /** Sends a request and resolves to the JSON of the answer. */
  async json(request: EngineRequest): Promise<unknown> {
    const body = await this.#read(request, await this.open(request));
    if (body.length === 0) return undefined;
    try {
      return JSON.parse(body.toString()) as unknown;
    } catch (error) {
      throw new DriverError("unavailable", `Docker answered ${request.path} with no JSON`, {
        cause: error,
      });
    }
  }

  /** Sends a request whose answer has no content of interest. */
  async done(request: EngineRequest): Promise<void> {
    await this.#read(request, await this.open(request));
  }

  /** Sends a request for another protocol and resolves to the connection, which the caller destroys. */
  async upgrade(request: EngineRequest): Promise<Duplex> {
    const { promise, resolve, reject } = Promise.withResolvers<Duplex>();
    const sent = this.#begin({
      ...request,
      headers: { ...request.headers, Connection: "Upgrade" },
    });
    sent.on("error", reject);
    sent.once("upgrade", (_answer, socket, head) => {
      sent.setTimeout(0);
      if (head.length > 0) socket.unshift(head);
      resolve(socket);
    });
    sent.once("response", (answer) => {
      readErrorMessage(answer).then(
        (text) => reject(new EngineError(answer.statusCode ?? 0, text)),
        reject,
      );
    });
    sent.end();
    try {
      return await promise;
    } catch (error) {
      throw this.failure(request, error);
    }
  }

  /** Reads a body; rejects if it exceeds `maxBytes`. */
  async readBody(
    request: Pick<EngineRequest, "path" | "signal">,
    body: AsyncIterable<Uint8Array>,
    maxBytes = maxAnswerBytes,
  ): Promise<Buffer> {
    try {
      const bytes = await readBounded(body, maxBytes);
      if (bytes !== undefined) return bytes;
    } catch (error) {
      throw this.failure(request, error);
    }
    throw new DriverError(
      "unavailable",
      `Docker's answer to ${request.path} has more than ${maxBytes} bytes`,
    );
  }

  /** Returns what to throw for an error of the connection. */
  failure({ signal, path }: Pick<EngineRequest, "path" | "signal">, error: unknown): unknown {
    if (signal.aborted) return signal.reason;
    if (error instanceof DriverError || error instanceof EngineError) return error;
    const hint = hints[systemErrorCode(error) ?? ""] ?? "";
    const reason = `${errorText(error)}${hint}`;
    return new DriverError(
      "unavailable",
      `no connection to Docker at ${this.#place()} (${path}): ${reason}`,
      { cause: error },
    );
  }

  async #read(request: EngineRequest, answer: IncomingMessage): Promise<Buffer> {
    return this.readBody(request, answer);
  }

  /** Opens a request; nothing of it is sent yet. */
  #begin({ method, path, query, headers, body, signal, silenceMs }: EngineRequest): ClientRequest {
    signal.throwIfAborted();
    const isJson = body !== undefined && "json" in body;
    const contentType = isJson ? "application/json" : "application/x-tar";
    const send =
      "url" in this.#endpoint && this.#endpoint.url.startsWith("https:")
        ? tlsRequest
        : plainRequest;
    const limitMs = silenceMs ?? defaultSilenceMs;
    const sent = send({
      ...this.#target(),
      method,
      path: `${this.#prefix}${path}${queryText(query)}`,
      headers: { ...headers, ...(body !== undefined && { "Content-Type": contentType }) },
      agent: false,
      signal,
    });
    if (limitMs < Infinity) {
      const silent = `no answer within ${limitMs / 1000} s`;
      sent.setTimeout(limitMs, () => sent.destroy(new Error(silent)));
    }
    return sent;
  }

  async #send(request: EngineRequest): Promise<IncomingMessage> {
    const { body } = request;
    const sent = this.#begin(request);
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    sent.on("error", reject);
    sent.once("response", resolve);
    if (body !== undefined && "tar" in body) {
      // The engine may refuse before it has read everything; its answer then says why.
      pipeline(Readable.from(body.tar), sent, (error) => error && reject(error));
    } else {
      sent.end(body === undefined ? undefined : JSON.stringify(body.json));
    }
    try {
      return await promise;
    } catch (error) {
      throw this.failure(request, error);
    }
  }

  #target(): RequestOptions {
    if ("socketPath" in this.#endpoint) {
      return { socketPath: this.#endpoint.socketPath, host: "docker" };
    }
    const { hostname, port, protocol } = new URL(this.#endpoint.url);
    const tls = this.#endpoint.tls ?? {};
    return { host: hostname, port: port === "" ? defaultPorts[protocol] : port, ...tls };
  }

  #place(): string {
    return "socketPath" in this.#endpoint ? this.#endpoint.socketPath : this.#endpoint.url;
  }
}

/** The ports of engines without and with TLS. */
const defaultPorts: Readonly<Record<string, number>> = { "http:": 2375, "https:": 2376 };

/** Advice on connection errors, by code. */
const hints: Readonly<Record<string, string>> = {
  ENOENT: "; start Docker, or set SLIPWAY_DOCKER_HOST",
  ECONNREFUSED: "; start Docker, or set SLIPWAY_DOCKER_HOST",
  EACCES: "; add the server's user to the group docker, or run the server as root",
};

function queryText(query: EngineRequest["query"]): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value !== undefined) parameters.set(name, value);
  }
  return parameters.size === 0 ? "" : `?${parameters.toString()}`;
}

async function readErrorMessage(answer: IncomingMessage): Promise<string> {
  try {
    const body = (await readBounded(answer, maxErrorBytes))?.toString() ?? "";
    if (!body.startsWith("{")) return body.trim();
    const { message, cause } = objectOf(JSON.parse(body));
    return textOf(message) || textOf(cause);
  } catch {
    return ""; // The status remains.
  }
}
