import { errorText } from "@slipway/runtime";
import * as oauth from "oauth4webapi";
import type { DeviceAuthorizationResponse } from "oauth4webapi";

import { ProviderError } from "../../platform/providers/provider-error.ts";

/** The maximum length of a provider's text that is shown to people. */
const maxReasonLength = 400;

/**
 * Returns an answer in the form of the protocol: GitHub reports errors with status 200, some providers omit the type of the
 * token, and the library would check an ID token, which is not used here, against an unknown issuer.
 */
export async function plainAnswer(response: Response): Promise<Response> {
  const text = await response.text();
  const { status, headers } = response;
  // The library reports a text that is not an object.
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

/** Returns the code of an unusable answer, which may be an internal error, such as the page of a gateway. */
function codeOf(cause: unknown): "unreachable" | "malformed" {
  return cause instanceof Response && cause.status >= 500 ? "unreachable" : "malformed";
}

function withoutSecrets(text: string, secrets: readonly string[]): string {
  return secrets
    .filter((secret) => secret !== "")
    .reduce((left, secret) => left.replaceAll(secret, "***"), text);
}

/** A code that a user enters at the provider (RFC 8628 section 3.2). */
export interface DeviceCode {
  readonly deviceCode: string;
  readonly userCode: string;
  readonly verificationUri: string;
  readonly expiresInSeconds: number;
  readonly intervalSeconds: number;
}

const maxCodeLength = 512;
const maxDeviceSeconds = 24 * 3600;
const defaultIntervalSeconds = 5;

/** Reads the code of an answer; throws `ProviderError` if it cannot be shown. */
export function readDeviceCode(found: DeviceAuthorizationResponse): DeviceCode {
  const { device_code: deviceCode, user_code: userCode, verification_uri: uri } = found;
  const protocol = URL.parse(uri)?.protocol;
  const isPage = protocol === "https:" || protocol === "http:";
  const isUsable = deviceCode.length <= maxCodeLength && /^[\w -]{1,64}$/.test(userCode);
  if (!isPage || !isUsable || uri.length > maxCodeLength) {
    throw new ProviderError("malformed", "found an invalid code or address for the device flow");
  }
  return {
    deviceCode,
    userCode,
    verificationUri: uri,
    expiresInSeconds: Math.min(Math.floor(found.expires_in), maxDeviceSeconds),
    intervalSeconds: Math.max(1, Math.floor(found.interval ?? defaultIntervalSeconds)),
  };
}

/** Parses a JSON object; undefined for any other text. */
export function parseJsonObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    return isObject ? { ...value } : undefined;
  } catch {
    // Not JSON.
    return undefined;
  }
}
