import type { Clock } from "@slipway/runtime";
import type { ApiClient } from "@slipway/sdk/http";

import type { Terminal } from "../terminal/terminal.ts";

/** The needs of functions that call the server. */
export interface ClientNeeds {
  readonly client: ApiClient;
  readonly terminal: Terminal;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}
