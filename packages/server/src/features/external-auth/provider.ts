import { RegexMatcher } from "@slipway/template";
import { Counter, type Registry } from "prom-client";

import type { ExternalAuthProvider } from "../../platform/config/external-auth-settings.ts";
import { ProviderError } from "../../platform/providers/provider-error.ts";
import {
  createProviderFetch,
  type ProviderFetch,
} from "../../platform/providers/provider-fetch.ts";
import { OAuthClient } from "./oauth-client.ts";

/** A configured provider with its client. */
export interface Provider extends ExternalAuthProvider {
  readonly client: OAuthClient;
  readonly fetch: ProviderFetch;
}

/** Returns the path of the page at which people log in to a provider. */
export function providerPath({ id }: Pick<Provider, "id">): string {
  return `/external-auth/${id}`;
}

/**
 * Returns whether a token may be sent to an address: over https, or to this machine if the provider's expression names `http://`.
 * Otherwise Git would send it in plain text.
 */
function isProtected(address: string, regex: string): boolean {
  const scheme = /^\s*([a-z][a-z\d+.-]*):\/\//i.exec(address)?.[1]?.toLowerCase();
  if (scheme === undefined || scheme === "https") return true;
  const host = URL.parse(address)?.hostname ?? "";
  const isLoopback = /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(host);
  return scheme === "http" && isLoopback && regex.includes("http://");
}

/** The maximum length of an address that is compared with the expressions of providers, in characters. */
const maxMatchLength = 2048;
/** Enough for an expression of the largest size and the longest address. */
const maxMatchSteps = 2_097_152;

/** The configured providers, in the order of their numbers. */
export class Providers {
  readonly list: readonly Provider[];

  constructor(settings: readonly ExternalAuthProvider[]) {
    this.list = settings.map((provider) => {
      const fetch = createProviderFetch();
      return { ...provider, fetch, client: new OAuthClient(provider, fetch) };
    });
  }

  byId(id: string): Provider | undefined {
    return this.list.find((provider) => provider.id === id);
  }

  /** Returns the provider for an address: of several, the last one (docs/protocol/rest.md §2.6). */
  byAddress(address: string): Provider | undefined {
    if (address.length > maxMatchLength) return undefined;
    return this.list.findLast(
      ({ regex }) =>
        regex !== undefined &&
        isProtected(address, regex) &&
        new RegexMatcher(maxMatchSteps).match(regex, address) === "match",
    );
  }
}

type ProviderRequest = "exchange" | "refresh" | "validate" | "device" | "revoke";

/** The metric of the requests to providers. */
export class ProviderCounts {
  readonly #requests: Counter<"provider" | "request" | "outcome">;

  constructor(registry: Registry) {
    this.#requests = new Counter({
      name: "slipway_external_auth_requests_total",
      help: "Requests of this replica to external auth providers by `provider`, `request` (`exchange`, `refresh`, `validate`, `device`, `revoke`) and `outcome` (`ok`, `refused`, `unreachable`, `malformed`, `failed`).",
      labelNames: ["provider", "request", "outcome"],
      registers: [registry],
    });
  }

  /** Sends a request and counts its outcome. */
  async count<T>(
    { id }: Pick<Provider, "id">,
    request: ProviderRequest,
    send: () => Promise<T>,
  ): Promise<T> {
    try {
      const result = await send();
      this.#requests.inc({ provider: id, request, outcome: "ok" });
      return result;
    } catch (error) {
      const outcome = error instanceof ProviderError ? error.code : "failed";
      this.#requests.inc({ provider: id, request, outcome });
      throw error;
    }
  }
}
