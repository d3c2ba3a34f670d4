import { login } from "@slipway/api/users/routes";
import { ApiClient } from "@slipway/sdk/http";

import { testAdmin } from "./server-process.ts";

/** Creates a client with this token, or without one. */
export function openClient(serverUrl: string, token?: string): ApiClient {
  return new ApiClient({ serverUrl, ...(token === undefined ? {} : { token }) });
}

/** Creates a client with the session of the user with this password. Throws the server's error. */
export async function logIn(
  serverUrl: string,
  credentials: { readonly email: string; readonly password: string },
): Promise<ApiClient> {
  const body = { ...credentials };
  const { session_token: token } = await openClient(serverUrl).call(login, { body });
  return openClient(serverUrl, token);
}

/** Creates a client with the administrator's session, which is exempt from the rate limit. */
export async function logInAsAdmin(serverUrl: string): Promise<ApiClient> {
  const { email, password } = testAdmin;
  const body = { email, password };
  const { session_token: token } = await openClient(serverUrl).call(login, { body });
  return new ApiClient({ serverUrl, token, headers: { "X-Coder-Bypass-Ratelimit": "true" } });
}
