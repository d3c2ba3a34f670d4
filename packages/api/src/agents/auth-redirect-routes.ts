import { Type } from "typebox";

import { defineRoute } from "../contract/route.ts";

const maxUriLength = 8_192;
const maxStateLength = 64;

/**
 * Sends a browser that is logged in to the server back to an app on its own host, with a login code for that host. A
 * browser that is not logged in does so first.
 */
export const redirectToApp = defineRoute({
  method: "GET",
  path: "/applications/auth-redirect",
  summary: "Log a browser in at the host of an app",
  tag: "deployment",
  caller: "anyone",
  query: Type.Object({
    /** The address of the app, which must be one of this deployment. */
    redirect_uri: Type.String({ maxLength: maxUriLength }),
    /** The hash of a secret that the host of the app gave the browser; no code is issued without it. */
    state: Type.Optional(Type.String({ maxLength: maxStateLength })),
  }),
  status: 303,
  response: Type.Null(),
});
