import type { webcrypto } from "node:crypto";

import { type Clock, errorText, type Logger } from "@slipway/runtime";

import { IdentityError } from "./errors.ts";

/** A public key as JSON, with its id. */
export type PublicJwk = webcrypto.JsonWebKey & { readonly kid: string };

interface KeySetOptions {
  readonly url: string;
  readonly clock: Pick<Clock, "now">;
  readonly logger: Pick<Logger, "warn">;
}

interface Fetched {
  readonly keys: ReadonlyMap<string, PublicJwk>;
  readonly freshMs: number;
}

const fetchTimeoutMs = 5_000;
const maxBytes = 1024 * 1024;
const maxKeys = 1_000;
/** The minimum time a set is cached, and before it is requested again because of a missing key. */
const minAgeMs = 60_000;
const maxAgeMs = 86_400_000;
/** The time before a failed request for a set is repeated. */
const retryMs = 1_000;

/** Keys published at an address, cached for as long as the response allows; requested once at a time. */
export class KeySet {
  readonly #options: KeySetOptions;
  #kept: ReadonlyMap<string, PublicJwk> | undefined;
  #freshUntilMs = -Infinity;
  #askedAtMs = -Infinity;
  #asking: Promise<void> | undefined;

  constructor(options: KeySetOptions) {
    this.#options = options;
  }

  /** Returns the key with that id; throws `IdentityError` if there is none or the keys are unavailable. */
  async find(id: string): Promise<PublicJwk> {
    if (this.#options.clock.now() >= this.#freshUntilMs) await this.#askAfter(retryMs);
    if (this.#kept !== undefined && !this.#kept.has(id)) await this.#askAfter(minAgeMs);
    if (this.#kept === undefined) {
      throw new IdentityError("idtoken: the keys that sign tokens cannot be had now");
    }
    const key = this.#kept.get(id);
    if (key !== undefined) return key;
    throw new IdentityError("idtoken: the token is signed with a key that is not published");
  }

  /** Requests the keys, or joins the request under way, unless the last one is less than `pauseMs` ago. */
  async #askAfter(pauseMs: number): Promise<void> {
    if (this.#asking === undefined && this.#options.clock.now() - this.#askedAtMs < pauseMs) return;
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = undefined;
    });
    await this.#asking;
  }

  /** Requests the keys. Cached ones still expire in time if the request fails. */
  async #ask(): Promise<void> {
    const { url, clock, logger } = this.#options;
    this.#askedAtMs = clock.now();
    try {
      const { keys, freshMs } = await fetchKeys(url);
      this.#kept = keys;
      this.#freshUntilMs = this.#askedAtMs + freshMs;
    } catch (error) {
      logger.warn({ url, error: errorText(error) }, "keys that sign identities cannot be had");
      if (clock.now() >= this.#freshUntilMs) this.#kept = undefined;
    }
  }
}

async function fetchKeys(url: string): Promise<Fetched> {
  const signal = AbortSignal.timeout(fetchTimeoutMs);
  const response = await fetch(url, { signal, redirect: "error" });
  if (!response.ok) throw new Error(`found the answer ${response.status}, wanted keys`);
  const keys = readKeys(JSON.parse(await readBody(response)));
  return { keys, freshMs: readFreshMs(response.headers) };
}

async function readBody({ body }: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body ?? []) {
    length += chunk.length;
    if (length > maxBytes) throw new Error(`found more than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
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
