import type { RefusalCode } from "@slipway/api/users/log-in-refusals";
import type { Clock } from "@slipway/runtime";
import { Counter, type Registry } from "prom-client";

import type { LogInProvider } from "../../platform/config/login-settings.ts";
import { createProviderFetch } from "../../platform/providers/provider-fetch.ts";
import { GitHubClient } from "./github-client.ts";
import type { LogInClient } from "./log-in-client.ts";
import { OidcClient } from "./oidc-client.ts";

/** A configured login provider with its client. */
export interface Provider extends LogInProvider {
  readonly client: LogInClient;
}

/** Returns the path at which a browser begins to log in at a provider. */
export function logInPath({ id }: Pick<LogInProvider, "id">): string {
  return `/login/with/${id}`;
}

/** The configured login providers, in the order of their numbers. */
export class LogInProviders {
  readonly list: readonly Provider[];

  constructor(
    settings: readonly LogInProvider[],
    { clock }: { readonly clock: Pick<Clock, "now" | "monotonic"> },
  ) {
    this.list = settings.map((provider) => {
      const fetch = createProviderFetch();
      const client =
        provider.type === "github"
          ? new GitHubClient(provider, { fetch })
          : new OidcClient(provider, { fetch, clock });
      return { ...provider, client };
    });
  }

  byId(id: string): Provider | undefined {
    return this.list.find((provider) => provider.id === id);
  }
}

/** The metric of logins at providers. */
export class LogInCounts {
  readonly #logIns: Counter<"provider" | "outcome">;

  constructor(registry: Registry) {
    this.#logIns = new Counter({
      name: "slipway_provider_logins_total",
      help: "Logins at login providers that this replica completed, by `provider` and `outcome` (`ok` or the reason of the refusal, such as `denied`).",
      labelNames: ["provider", "outcome"],
      registers: [registry],
    });
  }

  count({ id }: Pick<LogInProvider, "id">, outcome: "ok" | RefusalCode): void {
    this.#logIns.inc({ provider: id, outcome });
  }
}
