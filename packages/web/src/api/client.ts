import { ApiClient } from "@slipway/sdk/http";

/** The server of this page; requests carry its cookie. */
export const client = new ApiClient({ serverUrl: location.origin, createSocket });

/** Creates a WebSocket to an `http` or `https` address. Browsers send the cookie, and let a page set no headers. */
function createSocket(url: string): WebSocket {
  return new WebSocket(url.replace(/^http/, "ws"));
}
