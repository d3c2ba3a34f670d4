import type { ResponseOf, Route } from "@slipway/api/contract/route";
import type { RouteInput, ToolApi, UploadInput } from "@slipway/mcp";
import type { FastifyInstance, FastifyRequest } from "fastify";

import { sendInner } from "../../platform/http/inner-requests.ts";

const never = new AbortController().signal;

/** The routes of this server, with the rights of the sender of a request. */
export class InnerToolApi implements ToolApi {
  readonly #app: FastifyInstance;
  readonly #from: FastifyRequest;
  /** There is no port of this machine that the caller could reach. */
  readonly listen = undefined;

  constructor(app: FastifyInstance, from: FastifyRequest) {
    this.#app = app;
    this.#from = from;
  }

  async call<R extends Route>(route: R, input: RouteInput<R> = {}): Promise<ResponseOf<R>> {
    const { body } = input;
    const bytes = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
    return parse(route, await this.#send(route, input, bytes));
  }

  async upload<R extends Route>(route: R, input: UploadInput<R>): Promise<ResponseOf<R>> {
    return parse(route, await this.#send(route, input, input.bytes));
  }

  download<R extends Route>(route: R, input: RouteInput<R> = {}): Promise<Uint8Array> {
    return this.#send(route, input, undefined);
  }

  #send<R extends Route>(
    route: R,
    { params, query, signal = never }: RouteInput<R>,
    body: Uint8Array | undefined,
  ): Promise<Uint8Array> {
    return sendInner(
      this.#app,
      route,
      {
        // The contract's parameters and queries are flat objects of strings.
        params: params ?? {},
        query: query ?? {},
        signal,
        ...(body === undefined ? {} : { body }),
      },
      this.#from,
    );
  }
}

function parse<R extends Route>(_: R, bytes: Uint8Array): ResponseOf<R> {
  const text = Buffer.from(bytes).toString();
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- answers of this server follow the contract
  return (text === "" ? undefined : JSON.parse(text)) as ResponseOf<R>;
}
