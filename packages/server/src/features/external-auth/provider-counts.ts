import { Counter, type Registry } from "prom-client";

import { ProviderError } from "./errors.ts";
import type { Provider } from "./provider.ts";

export type ProviderRequest = "exchange" | "refresh" | "validate" | "device" | "revoke";

/** The metric of the requests to providers. */
export class ProviderCounts {
  readonly #requests: Counter<"provider" | "request" | "outcome">;

  constructor(registry: Registry) {
    this.#requests = new Counter({
      name: "slipway_external_auth_requests_total",
      help: "Requests of this replica to external auth providers.",
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
