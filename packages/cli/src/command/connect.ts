import { ApiClient } from "@slipway/sdk/http";

import { notLoggedIn } from "./errors.ts";
import type { Settings } from "./needs.ts";
import { nodeFetch } from "./node-fetch.ts";

/** Returns a client for the server and token of the settings. Throws `notLoggedIn` if either is missing. */
export function connect({
  url,
  token,
  headers,
}: Pick<Settings, "url" | "token" | "headers">): ApiClient {
  if (url === undefined || token === undefined) throw notLoggedIn(url);
  return openClient(url, token, headers);
}

/** Returns a client for a server; without a token, only calls that need none succeed. */
export function openClient(
  serverUrl: string,
  token?: string,
  headers: Settings["headers"] = {},
): ApiClient {
  return new ApiClient({
    serverUrl,
    headers,
    fetch: nodeFetch,
    // Most commands do not need sockets.
    createSocket: async (url, all) => {
      const { createNodeSocket } = await import("@slipway/sdk/node");
      return createNodeSocket(url, all);
    },
    ...(token === undefined ? {} : { token }),
  });
}
