import { ApiClient } from "@slipway/sdk/http";

import type { Settings } from "../config/settings.ts";
import { notLoggedIn } from "./errors.ts";
import { nodeFetch } from "./node-fetch.ts";

/** Returns a client for the server and token of the settings. Throws `notLoggedIn` if either is missing. */
export function connect({ url, token }: Settings): ApiClient {
  if (url === undefined || token === undefined) throw notLoggedIn(url);
  return openClient(url, token);
}

/** Returns a client for a server; without a token it calls only what needs none. */
export function openClient(serverUrl: string, token?: string): ApiClient {
  return new ApiClient({
    serverUrl,
    fetch: nodeFetch,
    // Most commands need none.
    createSocket: async (url, headers) => {
      const { createNodeSocket } = await import("@slipway/sdk/node");
      return createNodeSocket(url, headers);
    },
    ...(token === undefined ? {} : { token }),
  });
}
