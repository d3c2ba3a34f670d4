import { ApiClient } from "@slipway/sdk/http";

import type { Settings } from "../config/settings.ts";
import { notLoggedIn } from "./errors.ts";

/** The server that the settings name, as their user. Throws the error that says how to log in when they name none. */
export function connect({ url, token }: Settings): ApiClient {
  if (url === undefined || token === undefined) throw notLoggedIn(url);
  return new ApiClient({ serverUrl: url, token });
}
