/** An OAuth 2 authorization server, and logins to it, for tests of external authentication. */
export { type OAuthServer, openOAuthServer, type TokenAnswer } from "./servers/oauth-server.ts";
export { logInToProvider } from "./servers/provider-log-in.ts";
