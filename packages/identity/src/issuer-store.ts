import { type LookupAddress, type LookupAllOptions, lookup as resolve } from "node:dns";
import * as http from "node:http";
import * as https from "node:https";
import type { LookupFunction } from "node:net";

import { errorText, type Logger, readBounded } from "@slipway/runtime";

import { type Certificate, readCertificate } from "./certificate.ts";
import { isPublicAddress } from "./public-address.ts";

/** Resolves a host to all its addresses. */
export type ResolveHost = (
  hostname: string,
  options: LookupAllOptions,
  callback: (error: Error | null, addresses: LookupAddress[]) => void,
) => void;

interface IssuerStoreOptions {
  readonly logger: Pick<Logger, "debug">;
  readonly isAllowedUrl?: (url: URL) => boolean;
  readonly isAllowedAddress?: (address: string) => boolean;
  readonly lookup?: ResolveHost;
  /** The timeout of a response, in milliseconds. */
  readonly timeoutMs?: number;
}

const hosts: ReadonlySet<string> = new Set(["www.microsoft.com", "cacerts.digicert.com"]);
const ports: ReadonlySet<string> = new Set(["", "80", "443"]);
const defaultTimeoutMs = 5_000;
/** The maximum size of a response, in bytes; certificates have about 2,000. */
const maxBytes = 64 * 1024;
/** The maximum number of concurrent requests for all callers, because strangers' documents cause them. */
const maxRequests = 8;
/** The maximum number of addresses requested per certificate. */
const maxUrls = 4;
/** The maximum number of cached certificates; the oldest are evicted first. */
const maxCached = 64;

/** Reports whether an address in a certificate may be requested (docs/protocol/rest.md §3, Azure's rule 4). */
export function isIssuerUrl({ protocol, hostname, port, username, password }: URL): boolean {
  const isWeb = protocol === "http:" || protocol === "https:";
  return isWeb && hosts.has(hostname) && ports.has(port) && username === "" && password === "";
}

/**
 * Fetches issuers' certificates from the addresses that certificates name, if these belong to Azure's issuers, on the
 * public internet. Anyone can create a certificate with any content, and fetched certificates are not trusted either.
 */
export class IssuerStore {
  readonly #options: Required<IssuerStoreOptions>;
  readonly #cached = new Map<string, Promise<Certificate | undefined>>();
  #requests = 0;

  constructor(options: IssuerStoreOptions) {
    this.#options = {
      isAllowedUrl: isIssuerUrl,
      isAllowedAddress: isPublicAddress,
      lookup: resolve,
      timeoutMs: defaultTimeoutMs,
      ...options,
    };
  }

  /** Fetches the certificates that are available within a few seconds. */
  async fetch(urls: readonly string[]): Promise<readonly Certificate[]> {
    const allowed = urls
      .flatMap((text) => URL.parse(text) ?? [])
      .filter(this.#options.isAllowedUrl)
      .map(({ href }) => href);
    const found = await Promise.all(
      [...new Set(allowed)].slice(0, maxUrls).map((url) => this.#read(url)),
    );
    return found.filter((one) => one !== undefined);
  }

  /** Requests an address once at a time, and never again after an answer. */
  #read(url: string): Promise<Certificate | undefined> {
    const cached = this.#cached.get(url);
    if (cached !== undefined) return cached;
    if (this.#requests >= maxRequests) return Promise.resolve(undefined);
    this.#requests += 1;
    const reading = this.#get(url)
      .then(readCertificate)
      .catch((error: unknown) => {
        // This request is refused; the address may answer next time.
        this.#cached.delete(url);
        const fields = { url, error: errorText(error) };
        this.#options.logger.debug(fields, "cannot fetch the issuer's certificate");
        return undefined;
      })
      .finally(() => {
        this.#requests -= 1;
      });
    this.#cached.set(url, reading);
    const [first] = this.#cached.keys();
    if (this.#cached.size > maxCached && first !== undefined) this.#cached.delete(first);
    return reading;
  }

  #get(url: string): Promise<Uint8Array> {
    const { get } = url.startsWith("https:") ? https : http;
    const signal = AbortSignal.timeout(this.#options.timeoutMs);
    return new Promise((done, fail) => {
      const request = get(url, { agent: false, lookup: this.#lookup, signal }, (response) => {
        if (response.statusCode === 200) return void readBody(response).then(done, fail);
        response.destroy();
        return fail(new Error(`found status ${response.statusCode ?? 0}`));
      });
      request.on("error", fail);
    });
  }

  /** Resolves the addresses to dial; none unless all of them are allowed. */
  readonly #lookup: LookupFunction = (hostname, options, callback) => {
    const { lookup, isAllowedAddress } = this.#options;
    lookup(hostname, { ...options, all: true }, (error, addresses) => {
      if (error !== null) return callback(error, "");
      const refused = addresses.find(({ address }) => !isAllowedAddress(address));
      if (refused !== undefined) {
        return callback(new Error(`found the address ${refused.address}, wanted a public one`), "");
      }
      if (options.all === true) return callback(null, addresses);
      return callback(null, addresses[0]?.address ?? "", addresses[0]?.family);
    });
  };
}

async function readBody(response: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const body = await readBounded(response, maxBytes);
  if (body === undefined) throw new Error(`found more than ${maxBytes} bytes`);
  return body;
}
