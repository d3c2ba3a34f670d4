import type { Clock } from "@slipway/runtime";

import type { Settings } from "../config/settings.ts";
import type { Terminal } from "../terminal/terminal.ts";
import type { Interruption } from "./interruption.ts";

/** What `main` has to lend; each command names what it takes of it. */
export interface Needs {
  readonly terminal: Terminal;
  readonly settings: Settings;
  readonly environment: NodeJS.ProcessEnv;
  readonly clock: Clock;
  /** Aborts when the command is to end early. */
  readonly signal: AbortSignal;
  /** The same in two steps, for what shuts down by itself. */
  readonly interruption: Interruption;
}
