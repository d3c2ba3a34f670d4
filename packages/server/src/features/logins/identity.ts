import { type JsonObject, objectOf, parseObject, textOf } from "@slipway/runtime";

import { type SecretBox, SecretError } from "../../platform/auth/secret-box.ts";
import type { LogInTokens, ProvenLogIn } from "./log-in-client.ts";

/** The maximum length of the JSON of claims that are kept, in characters; of longer ones, none. */
const maxKeptClaimsLength = 32 * 1024;

/** Encrypts the tokens and claims of a login for the database. */
export function sealDetails(
  secrets: Pick<SecretBox, "seal">,
  { claims, tokens }: ProvenLogIn,
): Buffer {
  const isShort = JSON.stringify(claims).length <= maxKeptClaimsLength;
  return secrets.seal(JSON.stringify({ claims: isShort ? claims : {}, tokens }));
}

/** The details of an identity: those of the last login, and the tokens of the last refresh. */
export interface IdentityDetails {
  readonly claims: JsonObject;
  /** Undefined if they are lost with their key. */
  readonly tokens: LogInTokens | undefined;
}

/** Decrypts details; those whose key is lost are empty. */
export function openDetails(secrets: Pick<SecretBox, "open">, sealed: Buffer): IdentityDetails {
  const details = parseObject(openOrEmpty(secrets, sealed)) ?? {};
  const tokens = objectOf(details["tokens"]);
  const accessToken = textOf(tokens["accessToken"]);
  return {
    claims: objectOf(details["claims"]),
    tokens:
      accessToken === ""
        ? undefined
        : {
            accessToken,
            refreshToken: textOf(tokens["refreshToken"]) || undefined,
            idToken: textOf(tokens["idToken"]) || undefined,
          },
  };
}

function openOrEmpty(secrets: Pick<SecretBox, "open">, sealed: Buffer): string {
  try {
    return secrets.open(sealed);
  } catch (error) {
    if (error instanceof SecretError) return "";
    throw error;
  }
}
