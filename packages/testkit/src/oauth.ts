/** An authorization server of OAuth 2, for tests of external authentication. */
export { type OAuthServer, openOAuthServer, type TokenAnswer } from "./servers/oauth-server.ts";
