import type { ErrorBody } from "@slipway/api/contract/api-error";
import type { BodyOf, ParamsOf, QueryOf, ResponseOf, Route } from "@slipway/api/contract/route";
import { routePath } from "@slipway/api/contract/route";

import { parseErrorBody } from "./error-body.ts";
import { AnswerError, ApiError, ConnectError } from "./errors.ts";

/** The prefix of all routes of the contract. */
const apiPrefix = "/api/v2";

/** The time limit of a request whose caller sets none, in milliseconds. */
const requestTimeoutMs = 30_000;

export interface ApiClientOptions {
  /** The address of the server, with or without a trailing slash. */
  readonly serverUrl: string;
  /** The session token; absent before login. */
  readonly token?: string;
  /** Additional headers for every request. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Sends the requests (default: the global `fetch`). */
  readonly fetch?: ClientFetch;
  /** Creates the WebSockets (default: the global `WebSocket`). */
  readonly createSocket?: CreateSocket;
}

/** Creates a WebSocket to an `http` or `https` address. */
export type CreateSocket = (
  url: string,
  headers: Readonly<Record<string, string>>,
) => WebSocket | Promise<WebSocket>;

/**
 * The part of `fetch` that a client uses. Rejects with the signal's reason, with `AnswerError` if the answer cannot be
 * read, or with another error if none came.
 */
export type ClientFetch = (url: string, request: ClientRequest) => Promise<ClientResponse>;

export interface ClientRequest {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  /** A stream is read as fast as it is sent. */
  readonly body?: string | Uint8Array<ArrayBuffer> | AsyncIterable<Uint8Array<ArrayBuffer>>;
  readonly signal: AbortSignal;
}

export interface ClientResponse extends Pick<
  Response,
  "ok" | "status" | "statusText" | "text" | "arrayBuffer"
> {
  readonly headers: Pick<Headers, "get">;
  readonly body: AsyncIterable<Uint8Array> | null;
}

interface CallInput<R extends Route> {
  readonly params?: ParamsOf<R>;
  readonly query?: QueryOf<R>;
  readonly body?: BodyOf<R>;
  readonly signal?: AbortSignal;
}

interface StreamInput<R extends Route> extends Omit<CallInput<R>, "body"> {
  readonly headers?: Readonly<Record<string, string>>;
}

/** An answer whose content is read as it arrives. */
export interface StreamedAnswer {
  readonly headers: Pick<Headers, "get">;
  /** Fails with `ConnectError` if the answer breaks off, and with the signal's reason. */
  readonly content: AsyncIterable<Uint8Array>;
}

/**
 * Calls routes of the contract. Answers are trusted to follow the contract; they are not validated again. Rejects
 * with `ApiError` for an error answer, `AnswerError` for one that is not JSON, `ConnectError` when none came, and the
 * signal's reason.
 */
export class ApiClient {
  readonly serverUrl: string;
  /** Undefined for the global `WebSocket`. */
  readonly createSocket: CreateSocket | undefined;
  readonly #token: string | undefined;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #fetch: ClientFetch;

  constructor(options: ApiClientOptions) {
    this.serverUrl = options.serverUrl.replace(/\/+$/, "");
    this.#token = options.token;
    this.#headers = options.headers ?? {};
    this.createSocket = options.createSocket;
    this.#fetch = options.fetch ?? webFetch;
  }

  /** Returns the headers of every request except the token: those for a proxy in front of the server. */
  get proxyHeaders(): Readonly<Record<string, string>> {
    return this.#headers;
  }

  /** Returns the headers of every request, including the token. */
  get headers(): Readonly<Record<string, string>> {
    if (this.#token === undefined) return this.#headers;
    return { ...this.#headers, "Coder-Session-Token": this.#token };
  }

  /** Returns the address of a route with parameters and query filled in. */
  url<R extends Route>(route: R, input: Pick<CallInput<R>, "params" | "query"> = {}): string {
    // The contract's parameters and queries are flat objects of strings.
    const params = (input.params ?? {}) as Readonly<Record<string, string>>;
    const query = (input.query ?? {}) as Readonly<Record<string, string | undefined>>;
    const search = new URLSearchParams();
    for (const [key, value] of Object.entries(query)) {
      if (value !== undefined) search.set(key, value);
    }
    const text = search.toString();
    return `${this.serverUrl}${apiPrefix}${routePath(route, params)}${text === "" ? "" : `?${text}`}`;
  }

  /** Calls a route whose answer is JSON. */
  async call<R extends Route>(route: R, input: CallInput<R> = {}): Promise<ResponseOf<R>> {
    const text = await this.#send(route, input, jsonBody(input.body), readText);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- answers are trusted to follow the contract
    return this.#parse(text) as ResponseOf<R>;
  }

  /** Sends raw bytes to a route whose answer is JSON. */
  async upload<R extends Route>(
    route: R,
    input: CallInput<R> & { readonly bytes: Uint8Array; readonly contentType: string },
  ): Promise<ResponseOf<R>> {
    const body = { content: new Uint8Array(input.bytes), contentType: input.contentType };
    const text = await this.#send(route, input, body, readText);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- answers are trusted to follow the contract
    return this.#parse(text) as ResponseOf<R>;
  }

  /** Reads the raw bytes of a route's answer. */
  async download<R extends Route>(route: R, input: CallInput<R> = {}): Promise<Uint8Array> {
    return new Uint8Array(
      await this.#send(route, input, undefined, (response) => response.arrayBuffer()),
    );
  }

  /** Reads the content of a route's answer as it arrives, however long that takes. */
  async openDownload<R extends Route>(
    route: R,
    input: StreamInput<R> = {},
  ): Promise<StreamedAnswer> {
    return this.#request(route, input, undefined, async ({ headers, body }) => ({
      headers,
      content: this.#content(body, input.signal),
    }));
  }

  /** Sends a stream to a route whose answer is JSON, however long that takes. */
  async sendStream<R extends Route>(
    route: R,
    input: StreamInput<R> & { readonly content: AsyncIterable<Uint8Array<ArrayBuffer>> },
  ): Promise<ResponseOf<R>> {
    const body = { content: input.content, contentType: "application/octet-stream" };
    const text = await this.#request(route, input, body, readText);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- answers are trusted to follow the contract
    return this.#parse(text) as ResponseOf<R>;
  }

  async *#content(
    body: AsyncIterable<Uint8Array> | null,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<Uint8Array> {
    try {
      if (body !== null) yield* body;
    } catch (cause) {
      signal?.throwIfAborted();
      throw new ConnectError(this.serverUrl, { cause });
    }
  }

  #parse(text: string): unknown {
    if (text === "") return undefined;
    try {
      return JSON.parse(text);
    } catch (cause) {
      throw new AnswerError(this.serverUrl, { cause });
    }
  }

  /** Resolves to the result of `read` for a good answer, which one that breaks off is not. */
  async #send<R extends Route, T>(
    route: R,
    input: CallInput<R>,
    body: RequestBody | undefined,
    read: (response: ClientResponse) => Promise<T>,
  ): Promise<T> {
    const timeout = AbortSignal.timeout(requestTimeoutMs);
    const signal = input.signal === undefined ? timeout : AbortSignal.any([input.signal, timeout]);
    return this.#request(route, { ...input, signal, caller: input.signal }, body, read);
  }

  /** Does the same without a time limit. */
  async #request<R extends Route, T>(
    route: R,
    input: RequestInput<R>,
    body: RequestBody | undefined,
    read: (response: ClientResponse) => Promise<T>,
  ): Promise<T> {
    const headers = body === undefined ? {} : { "Content-Type": body.contentType };
    let response: ClientResponse;
    try {
      response = await this.#fetch(this.url(route, input), {
        method: route.method,
        headers: { ...this.headers, ...headers, ...input.headers },
        signal: input.signal ?? never,
        ...(body === undefined ? {} : { body: body.content }),
      });
      if (response.ok) return await read(response);
    } catch (error) {
      ("caller" in input ? input.caller : input.signal)?.throwIfAborted();
      if (error instanceof AnswerError) throw error;
      throw new ConnectError(this.serverUrl, { cause: error });
    }
    throw new ApiError(response.status, await readErrorBody(response), {
      path: route.path,
      params: input.params ?? {},
    });
  }
}

interface RequestInput<R extends Route> extends StreamInput<R> {
  /** The signal of the caller, if `signal` has a time limit besides. */
  readonly caller?: AbortSignal | undefined;
}

interface RequestBody {
  readonly content: NonNullable<ClientRequest["body"]>;
  readonly contentType: string;
}

const never = new AbortController().signal;

/** Sends a request with the `fetch` of the web. */
async function webFetch(url: string, { body, ...request }: ClientRequest): Promise<ClientResponse> {
  if (body === undefined || typeof body === "string" || body instanceof Uint8Array) {
    return fetch(url, { ...request, ...(body === undefined ? {} : { body }) });
  }
  // Browsers send streams over HTTP/2 only.
  const duplex = { duplex: "half" } as const;
  return fetch(url, { ...request, ...duplex, body: webStream(body) });
}

/** Returns chunks as a stream of the web; not all browsers have `ReadableStream.from`. */
function webStream(
  chunks: AsyncIterable<Uint8Array<ArrayBuffer>>,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const iterator = chunks[Symbol.asyncIterator]();
  return new ReadableStream({
    pull: async (controller) => {
      const { done, value } = await iterator.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    cancel: async () => {
      await iterator.return?.();
    },
  });
}

function readText(response: ClientResponse): Promise<string> {
  return response.text();
}

function jsonBody(body: unknown): RequestBody | undefined {
  if (body === undefined) return undefined;
  return { content: JSON.stringify(body), contentType: "application/json" };
}

async function readErrorBody(response: ClientResponse): Promise<ErrorBody> {
  // The status says more than the text of a proxy's page.
  const body = parseErrorBody(await response.text().catch(() => ""));
  return body ?? { message: `unexpected answer ${response.status} ${response.statusText}`.trim() };
}
