import { resources } from "../../platform/auth/resource-metadata.ts";
import { OauthError } from "./errors.ts";

/**
 * Returns a parameter of a request; undefined for an empty one. Throws `OauthError` for one that occurs several times
 * (RFC 6749 §3.1).
 */
export function findParameter(parameters: URLSearchParams, name: string): string | undefined {
  const [value, ...more] = parameters.getAll(name);
  if (more.length > 0) {
    throw new OauthError(
      "invalid_request",
      `found ${name} ${more.length + 1} times, wanted it once`,
    );
  }
  return value === "" ? undefined : value;
}

/** Returns a parameter of a request. Throws `OauthError` if it is missing. */
export function readParameter(parameters: URLSearchParams, name: string): string {
  const value = findParameter(parameters, name);
  if (value !== undefined) return value;
  throw new OauthError("invalid_request", `missing required parameter ${name}`);
}

/**
 * Checks that a token is requested for this server (RFC 8707 §2), whose resources all accept the same tokens; `urls` are
 * those by which the server is known. Throws `OauthError`.
 */
export function requireOwnResource(parameters: URLSearchParams, urls: readonly string[]): void {
  const own = urls.flatMap((url) => resources.map((resource) => `${url}${resource}`));
  const other = parameters.getAll("resource").find((uri) => !own.includes(uri.replace(/\/$/, "")));
  if (other === undefined) return;
  throw new OauthError("invalid_target", `found another resource, wanted ${own.join(" or ")}`);
}
