import type { FastifyRequest } from "fastify";

import { type Limits, limitVariable } from "../config/limits.ts";
import { HttpError } from "./errors.ts";
import { OpenCounts } from "./open-counts.ts";
import { clientAddress } from "./request-origin.ts";

export type AnonymousStreamLimits = Pick<
  Limits,
  "maxAnonymousStreams" | "maxAnonymousStreamsPerAddress"
>;

/** Counts the streams of clients known only by their address. */
export class AnonymousStreams {
  readonly #counts: OpenCounts;

  constructor({ maxAnonymousStreams, maxAnonymousStreamsPerAddress }: AnonymousStreamLimits) {
    const limits = { inAll: maxAnonymousStreams, perAddress: maxAnonymousStreamsPerAddress };
    this.#counts = new OpenCounts(limits);
  }

  /** Counts a stream until its connection closes, even if it is refused later. Throws the 429 or 503. */
  hold(request: FastifyRequest): void {
    const taken = this.#counts.take(clientAddress(request));
    if (typeof taken === "string") throw tooMany(taken);
    request.raw.socket.once("close", () => taken[Symbol.dispose]());
  }
}

function tooMany(full: "address" | "all"): HttpError {
  const isAddress = full === "address";
  const name = isAddress ? "maxAnonymousStreamsPerAddress" : "maxAnonymousStreams";
  const whose = isAddress ? "Your address" : "The server";
  return new HttpError(
    isAddress ? 429 : 503,
    `${whose} has too many unauthenticated streams open.`,
    { detail: `Close some, or ask an administrator to raise ${limitVariable(name)}.` },
  );
}
