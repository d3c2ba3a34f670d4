/** An OAuth 2 authorization server, and logins to it, for tests of external authentication. */
export { type OAuthServer, openOAuthServer, type TokenAnswer } from "./servers/oauth-server.ts";
export { logInToProvider } from "./servers/provider-log-in.ts";
/** A certified OpenID provider with its own pages, and a browser that logs in there. */
export { oidcClient, type OidcPeer, openOidcPeer } from "./servers/oidc-peer.ts";
export { type ShownPage, WebBrowser } from "./servers/web-browser.ts";
