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
  /** The headers of every request to the server at `url`. */
  readonly headers: Readonly<Record<string, string>>;
  /** Their sources, for connections made later. */
  readonly headerSettings: HeaderSettings;
  /** Prepares access to another server, for example at login. */
  readonly prepareAccess: PrepareAccess;
  /** The files of the client certificate, which an agent reads itself. */
  readonly certificateFiles: CertificateFiles;
}

/** The capabilities of all commands; each picks its part. */
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

/** The needs that the process provides; settings are read once the command line is parsed. */
export type ProcessNeeds = Omit<Needs, "settings">;

/** The needs of functions that call the server. */
export interface ClientNeeds {
  readonly client: ApiClient;
  readonly terminal: Terminal;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}
