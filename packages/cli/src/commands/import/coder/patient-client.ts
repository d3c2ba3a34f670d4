import type { BodyOf, ParamsOf, QueryOf, ResponseOf, Route } from "@slipway/api/contract/route";
import { Backoff, type Clock } from "@slipway/runtime";
import { ApiClient, ApiError, type ClientFetch, ConnectError } from "@slipway/sdk/http";

import { fetchUnredirected, RedirectError } from "../../../command/node-fetch.ts";
import { mayHaveArrived } from "../../../command/patient-read.ts";

/** The maximum number of attempts of one request: about two minutes, or as long as the server asks each time. */
const maxAttempts = 8;
/** The longest wait that a server can ask for, in milliseconds. */
const maxAskedMs = 120_000;
const policy = { firstMs: 1_000, maxMs: 60_000, factor: 2, jitter: 0.2 } as const;

/** The statuses of a server that did nothing, because it is busy or starting. */
const busyStatuses: ReadonlySet<number> = new Set([429, 503]);
/** The statuses of a proxy whose server may have carried out the request. */
const lostStatuses: ReadonlySet<number> = new Set([502, 504]);

interface PatientOptions {
  readonly serverUrl: string;
  readonly token: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

interface PatientInput<R extends Route> {
  readonly params?: ParamsOf<R>;
  readonly query?: QueryOf<R>;
  readonly body?: BodyOf<R>;
}

/**
 * Calls a server, one request at a time, for as long as thousands of requests take: waits while the server limits their
 * rate or restarts, and sends its token to no other address. A request that changes something is repeated only if the
 * server did not carry it out.
 */
export class PatientClient {
  readonly serverUrl: string;
  readonly #client: ApiClient;
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  /** The wait that the last response asked for; undefined if it asked for none. */
  #askedMs: number | undefined;

  constructor({ serverUrl, token, headers = {}, clock, signal }: PatientOptions) {
    this.#client = new ApiClient({ serverUrl, token, headers, fetch: this.#fetch });
    this.serverUrl = this.#client.serverUrl;
    this.#clock = clock;
    this.#signal = signal;
  }

  /** Calls a route once, to find out whether the server can be reached. */
  probe<R extends Route>(route: R, input: PatientInput<R> = {}): Promise<ResponseOf<R>> {
    return this.#client.call(route, { ...input, signal: this.#signal });
  }

  /** Calls a route whose answer is JSON. */
  call<R extends Route>(route: R, input: PatientInput<R> = {}): Promise<ResponseOf<R>> {
    return this.#repeat(route, () => this.probe(route, input));
  }

  /** Sends raw bytes, of which the server stores identical ones once. */
  upload<R extends Route>(
    route: R,
    input: { readonly bytes: Uint8Array; readonly contentType: string },
  ): Promise<ResponseOf<R>> {
    return this.#repeat(route, () =>
      this.#client.upload(route, { ...input, signal: this.#signal }),
    );
  }

  /** Reads the raw bytes of a route's answer. */
  download<R extends Route>(route: R, input: PatientInput<R>): Promise<Uint8Array> {
    return this.#repeat(route, () =>
      this.#client.download(route, { ...input, signal: this.#signal }),
    );
  }

  async #repeat<T>({ method }: Route, send: () => Promise<T>): Promise<T> {
    const backoff = new Backoff(policy);
    for (let attempt = 1; ; attempt += 1) {
      this.#askedMs = undefined;
      try {
        return await send();
      } catch (error) {
        this.#signal.throwIfAborted();
        if (attempt === maxAttempts || !mayRepeat(method, error)) throw error;
      }
      const waitMs = this.#askedMs ?? backoff.next();
      await this.#clock.sleep(Math.min(waitMs, maxAskedMs), this.#signal);
    }
  }

  readonly #fetch: ClientFetch = async (url, request) => {
    const response = await fetchUnredirected(url, request);
    const seconds = Number(response.headers.get("Retry-After") ?? "");
    if (seconds > 0) this.#askedMs = seconds * 1_000;
    return response;
  };
}

function mayRepeat(method: Route["method"], error: unknown): boolean {
  const isRead = method === "GET";
  if (error instanceof ApiError) {
    return busyStatuses.has(error.status) || (isRead && lostStatuses.has(error.status));
  }
  if (!(error instanceof ConnectError) || error.cause instanceof RedirectError) return false;
  return isRead || !mayHaveArrived(error);
}
