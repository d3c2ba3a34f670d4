import type { Clock } from "@slipway/runtime";
import type { ApiClient } from "@slipway/sdk/http";
import type { CertificateFiles } from "@slipway/sdk/node";

import type { StoredSettings } from "../config/settings.ts";
import type { Terminal } from "../terminal/terminal.ts";
import type { Interruption } from "./errors.ts";
import type { HeaderSettings, PrepareAccess } from "./proxy-access.ts";
import type { UrlOpener } from "./url-opener.ts";

/** The settings of a command. */
export interface Settings extends StoredSettings {
  /** The headers of every request to the server of `url`. */
  readonly headers: Readonly<Record<string, string>>;
  /** Their sources, for what connects later. */
  readonly headerSettings: HeaderSettings;
  /** Prepares access to another server, such as at a log-in. */
  readonly prepareAccess: PrepareAccess;
  /** The files of the client certificate, which an agent reads itself. */
  readonly certificateFiles: CertificateFiles;
}

/** Everything that a command may use; each picks its part. */
export interface Needs {
  readonly terminal: Terminal;
  readonly settings: Settings;
  readonly environment: NodeJS.ProcessEnv;
  readonly clock: Clock;
  /** Opens browsers and editors. */
  readonly opener: UrlOpener;
  /** Aborts when the command must end early. */
  readonly signal: AbortSignal;
  /** The same in two steps, for commands with their own shutdown. */
  readonly interruption: Interruption;
}

/** The needs that come from the process; settings are read once the command line is parsed. */
export type ProcessNeeds = Omit<Needs, "settings">;

/** The needs of functions that call the server. */
export interface ClientNeeds {
  readonly client: ApiClient;
  readonly terminal: Terminal;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}
