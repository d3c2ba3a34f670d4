import type { Clock } from "@slipway/runtime";
import type { ApiClient } from "@slipway/sdk/http";

import type { Terminal } from "../../terminal/terminal.ts";

/** Dependencies for following the server's work. */
export interface Watching {
  readonly client: ApiClient;
  readonly terminal: Terminal;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}
