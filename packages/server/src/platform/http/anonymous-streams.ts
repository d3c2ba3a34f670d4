import type { FastifyReply, FastifyRequest } from "fastify";

import { type LimitName, type Limits, limitVariable } from "../config/limits.ts";
import { HttpError } from "./errors.ts";
import { OpenCounts } from "./open-counts.ts";
import { clientAddress } from "./request-origin.ts";

export type AnonymousStreamLimits = Pick<
  Limits,
  "maxAnonymousStreams" | "maxAnonymousStreamsPerAddress"
>;

/** Streams that are counted together, and their limits. */
interface StreamKind {
  readonly name: string;
  readonly inAll: LimitName;
  readonly perAddress: LimitName;
}

const unauthenticated: StreamKind = {
  name: "unauthenticated streams",
  inAll: "maxAnonymousStreams",
  perAddress: "maxAnonymousStreamsPerAddress",
};

const relayed: StreamKind = {
  name: "connections to the relay",
  inAll: "maxRelayClients",
  perAddress: "maxRelayClientsPerAddress",
};

const downloaded: StreamKind = {
  name: "downloads",
  inAll: "maxDownloads",
  perAddress: "maxDownloadsPerAddress",
};

/** Counts the streams of clients known only by their address. */
export class AnonymousStreams {
  readonly #kind: StreamKind;
  readonly #counts: OpenCounts;

  private constructor(kind: StreamKind, counts: OpenCounts) {
    this.#kind = kind;
    this.#counts = counts;
  }

  /** Creates the count of the API's streams. */
  static ofApi(limits: AnonymousStreamLimits): AnonymousStreams {
    const { maxAnonymousStreams: inAll, maxAnonymousStreamsPerAddress: perAddress } = limits;
    return new AnonymousStreams(unauthenticated, new OpenCounts({ inAll, perAddress }));
  }

  /** Creates the count of the relay's clients. */
  static ofRelay(
    limits: Pick<Limits, "maxRelayClients" | "maxRelayClientsPerAddress">,
  ): AnonymousStreams {
    const { maxRelayClients: inAll, maxRelayClientsPerAddress: perAddress } = limits;
    return new AnonymousStreams(relayed, new OpenCounts({ inAll, perAddress }));
  }

  /** Creates the count of downloads. */
  static ofDownloads(
    limits: Pick<Limits, "maxDownloads" | "maxDownloadsPerAddress">,
  ): AnonymousStreams {
    const { maxDownloads: inAll, maxDownloadsPerAddress: perAddress } = limits;
    return new AnonymousStreams(downloaded, new OpenCounts({ inAll, perAddress }));
  }

  /** Counts a stream until its connection closes, even if it is refused later. Throws the 429 or 503. */
  hold(request: FastifyRequest): void {
    const taken = this.#take(request);
    request.raw.socket.once("close", () => taken[Symbol.dispose]());
  }

  /** Counts a stream until its response has been sent or abandoned. Throws the 429 or 503. */
  holdResponse(request: FastifyRequest, reply: FastifyReply): void {
    const taken = this.#take(request);
    reply.raw.once("close", () => taken[Symbol.dispose]());
  }

  #take(request: FastifyRequest): Disposable {
    const taken = this.#counts.take(clientAddress(request));
    if (typeof taken === "string") throw tooMany(this.#kind, taken);
    return taken;
  }
}

function tooMany(kind: StreamKind, full: "address" | "all"): HttpError {
  const isAddress = full === "address";
  const limit = isAddress ? kind.perAddress : kind.inAll;
  const whose = isAddress ? "Your address" : "The server";
  return new HttpError(isAddress ? 429 : 503, `${whose} has too many ${kind.name} open.`, {
    detail: `Close some, or ask an administrator to raise ${limitVariable(limit)}.`,
  });
}
