import { ApiClient } from "@slipway/sdk/http";

import type { Settings } from "../config/settings.ts";
import { notLoggedIn } from "./errors.ts";

/** Returns a client for the server and token of the settings. Throws `notLoggedIn` if either is missing. */
export function connect({ url, token }: Settings): ApiClient {
  if (url === undefined || token === undefined) throw notLoggedIn(url);
  return new ApiClient({ serverUrl: url, token });
}
