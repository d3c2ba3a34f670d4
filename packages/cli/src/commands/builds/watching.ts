import type { Clock } from "@slipway/runtime";
import type { ApiClient } from "@slipway/sdk/http";

import type { Terminal } from "../../terminal/terminal.ts";

/** What it takes to look on while the server works. */
export interface Watching {
  readonly client: ApiClient;
  readonly terminal: Terminal;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}
