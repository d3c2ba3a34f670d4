import type { webcrypto } from "node:crypto";

import { type Clock, errorText, type Logger, readBounded } from "@slipway/runtime";

import { IdentityError } from "./errors.ts";

/** A public key as JSON, with its id. */
export type PublicJwk = webcrypto.JsonWebKey & { readonly kid: string };

interface KeySetOptions {
  readonly url: string;
  readonly clock: Pick<Clock, "now">;
  readonly logger: Pick<Logger, "warn">;
}

interface KeyResponse {
  readonly keys: ReadonlyMap<string, PublicJwk>;
  readonly freshMs: number;
}

const fetchTimeoutMs = 5_000;
const maxBytes = 1024 * 1024;
const maxKeys = 1_000;
/** The minimum time for which a set is cached, and after which it is requested again because of a missing key. */
const minAgeMs = 60_000;
const maxAgeMs = 86_400_000;
/** The time before a failed request for a set is retried. */
const retryMs = 1_000;

/** Keys published at an address, cached for as long as the response allows; requested once at a time. */
export class KeySet {
  readonly #options: KeySetOptions;
  #cached: ReadonlyMap<string, PublicJwk> | undefined;
  #freshUntilMs = -Infinity;
  #requestedAtMs = -Infinity;
  #request: Promise<void> | undefined;

  constructor(options: KeySetOptions) {
    this.#options = options;
  }

  /** Returns the key with that id; throws `IdentityError` if there is none or the keys are unavailable. */
  async find(id: string): Promise<PublicJwk> {
    if (this.#options.clock.now() >= this.#freshUntilMs) await this.#requestAfter(retryMs);
    if (this.#cached !== undefined && !this.#cached.has(id)) await this.#requestAfter(minAgeMs);
    if (this.#cached === undefined) {
      throw new IdentityError("idtoken: the keys that sign tokens are not available");
    }
    const key = this.#cached.get(id);
    if (key !== undefined) return key;
    throw new IdentityError("idtoken: the token is signed with a key that is not published");
  }

  /** Requests the keys or joins the request in progress, unless the last one is less than `pauseMs` ago. */
  async #requestAfter(pauseMs: number): Promise<void> {
    if (this.#request === undefined && this.#options.clock.now() - this.#requestedAtMs < pauseMs)
      return;
    this.#request ??= this.#fetch().finally(() => {
      this.#request = undefined;
    });
    await this.#request;
  }

  /** Requests the keys. Cached ones still expire in time if the request fails. */
  async #fetch(): Promise<void> {
    const { url, clock, logger } = this.#options;
    this.#requestedAtMs = clock.now();
    try {
      const { keys, freshMs } = await fetchKeys(url);
      this.#cached = keys;
      this.#freshUntilMs = this.#requestedAtMs + freshMs;
    } catch (error) {
      logger.warn({ url, error: errorText(error) }, "cannot fetch the keys that sign identities");
      if (clock.now() >= this.#freshUntilMs) this.#cached = undefined;
    }
  }
}

async function fetchKeys(url: string): Promise<KeyResponse> {
  const signal = AbortSignal.timeout(fetchTimeoutMs);
  const response = await fetch(url, { signal, redirect: "error" });
  if (!response.ok) throw new Error(`found status ${response.status}, wanted keys`);
  const keys = readKeys(JSON.parse(await readBody(response)));
  return { keys, freshMs: readFreshMs(response.headers) };
}

async function readBody({ body }: Response): Promise<string> {
  const bytes = body === null ? Buffer.alloc(0) : await readBounded(body, maxBytes);
  if (bytes === undefined) throw new Error(`found more than ${maxBytes} bytes`);
  return bytes.toString();
}

function readKeys(value: unknown): ReadonlyMap<string, PublicJwk> {
  const keys: unknown =
    typeof value === "object" && value !== null ? Reflect.get(value, "keys") : undefined;
  if (!Array.isArray(keys)) throw new Error("found no list of keys");
  return new Map(
    keys
      .slice(0, maxKeys)
      .filter(isKey)
      .map((key) => [key.kid, key]),
  );
}

function isKey(value: unknown): value is PublicJwk {
  return (
    typeof value === "object" && value !== null && "kid" in value && typeof value.kid === "string"
  );
}

/** Returns the time for which a response may be cached: `max-age` minus its `Age`. */
function readFreshMs(headers: Headers): number {
  const maxAge = /(?:^|[\s,])max-age="?(\d{1,9})/i.exec(headers.get("cache-control") ?? "")?.[1];
  const age = /^\d{1,9}$/.exec(headers.get("age") ?? "")?.[0];
  const seconds = Number(maxAge ?? 0) - Number(age ?? 0);
  return Math.min(Math.max(seconds * 1000, minAgeMs), maxAgeMs);
}
