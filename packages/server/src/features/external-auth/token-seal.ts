import type { SecretBox } from "../../platform/auth/secret-box.ts";
import { timestampFromMs } from "../../platform/db/timestamp.ts";
import type { StoredTokens } from "./queries.ts";
import type { ProviderTokens } from "./tokens.ts";

/** Encrypts tokens for the database. */
export function sealTokens(secrets: SecretBox, tokens: ProviderTokens): StoredTokens {
  const { expiresAtMs } = tokens;
  return {
    tokensEncrypted: secrets.seal(JSON.stringify(tokens)),
    expiresAt: expiresAtMs === undefined ? undefined : timestampFromMs(expiresAtMs),
    hasRefreshToken: tokens.refreshToken !== undefined,
  };
}

/** Decrypts tokens that `sealTokens` encrypted. Throws `SecretError`. */
export function openTokens(secrets: SecretBox, sealed: Buffer): ProviderTokens {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- sealTokens wrote it, and the box proves that
  const { accessToken, refreshToken, expiresAtMs, extra } = JSON.parse(
    secrets.open(sealed),
  ) as ProviderTokens;
  return { accessToken, refreshToken, expiresAtMs, extra };
}
