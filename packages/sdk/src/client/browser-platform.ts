import { webClock } from "@slipway/runtime";

import type { ClientPlatform } from "./platform.ts";

/** The platform of a page, whose own server it calls with its cookies. */
export const platform: ClientPlatform = {
  clock: webClock,
  createSocket: undefined,
  findSession: async () => {
    const location: unknown = Reflect.get(globalThis, "location");
    return { url: new URL("/", String(location)).origin, token: undefined };
  },
  forward: () => Promise.reject(new TypeError("a page cannot listen on a port: use url")),
};
