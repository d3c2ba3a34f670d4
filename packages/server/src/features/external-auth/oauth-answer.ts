import { errorText } from "@slipway/runtime";
import * as oauth from "oauth4webapi";

import { ProviderError } from "./errors.ts";
import { parseJsonObject } from "./json-object.ts";

/** The longest text of a provider that is shown to people. */
const maxReasonLength = 400;

/**
 * Returns an answer in the form of the protocol: GitHub reports errors with status 200, some providers name no type of
 * token, and an ID token, which nobody here reads, would be checked against an issuer that is not known.
 */
export async function plainAnswer(response: Response): Promise<Response> {
  const text = await response.text();
  const { status, headers } = response;
  // The library reports what is no object.
  const json = parseJsonObject(text);
  if (json === undefined) return new Response(text === "" ? null : text, { status, headers });
  const { id_token: _, ...rest } = json;
  const isError = status === 200 && typeof rest["error"] === "string";
  const hasType = typeof rest["token_type"] === "string" && rest["token_type"] !== "jwt-bearer";
  const isToken = rest["access_token"] !== undefined;
  const body = isToken && !hasType ? { ...rest, token_type: "bearer" } : rest;
  return Response.json(body, { status: isError ? 400 : status });
}

/** Translates an error of the library, without the secrets of the request that the provider may repeat. */
export function translateError(error: unknown, secrets: readonly string[]): unknown {
  const clean = (text: string): string => withoutSecrets(text, secrets).slice(0, maxReasonLength);
  if (error instanceof ProviderError) return error;
  if (
    error instanceof oauth.ResponseBodyError ||
    error instanceof oauth.AuthorizationResponseError
  ) {
    const { error: reason, error_description: description } = error;
    const isServer = error instanceof oauth.ResponseBodyError && error.status >= 500;
    const code = isServer || reason === "temporarily_unavailable" ? "unreachable" : "refused";
    const words = [reason, description].filter(Boolean).join(": ");
    return new ProviderError(code, `it answered: ${clean(words)}`, clean(reason));
  }
  if (error instanceof oauth.WWWAuthenticateChallengeError) {
    return new ProviderError("refused", `it answered with status ${error.status}`);
  }
  if (
    error instanceof oauth.OperationProcessingError ||
    error instanceof oauth.UnsupportedOperationError
  ) {
    return new ProviderError(
      codeOf(error.cause),
      clean(`its answer is unusable: ${errorText(error)}`),
    );
  }
  return error;
}

/** Returns whether an unusable answer is a failure of the provider's own, such as the page of a gateway. */
function codeOf(cause: unknown): "unreachable" | "malformed" {
  return cause instanceof Response && cause.status >= 500 ? "unreachable" : "malformed";
}

function withoutSecrets(text: string, secrets: readonly string[]): string {
  return secrets
    .filter((secret) => secret !== "")
    .reduce((left, secret) => left.replaceAll(secret, "***"), text);
}
