import { platform } from "#platform";

import { ApiClient, type ClientFetch } from "../http/client.ts";
import { Workspaces } from "./workspaces.ts";

export interface SlipwayOptions {
  /** The address of the server. */
  readonly url: string;
  /** A session token, or an API token with scopes; a page of the server itself needs none. */
  readonly token?: string;
  /** Additional headers for every request, such as those of a proxy in front of the server. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Sends the requests (default: the global `fetch`). */
  readonly fetch?: ClientFetch;
}

/** A client of a Slipway server, for programs: it creates workspaces and reaches into them. Holds nothing open. */
export class Slipway {
  readonly workspaces: Workspaces;

  constructor({ url, ...options }: SlipwayOptions) {
    const { createSocket } = platform;
    const client = new ApiClient({
      serverUrl: url,
      ...options,
      ...(createSocket === undefined ? {} : { createSocket }),
    });
    this.workspaces = new Workspaces({ client, platform });
  }

  /**
   * Returns a client for the server and token of the environment: `SLIPWAY_URL` and `SLIPWAY_SESSION_TOKEN` (or `CODER_…`),
   * else the session of `slipway login`; in a page, for the page's own server. Throws `SessionError` if there is none.
   */
  static async fromEnvironment(): Promise<Slipway> {
    const { url, token } = await platform.findSession();
    return new Slipway({ url, ...(token === undefined ? {} : { token }) });
  }
}
