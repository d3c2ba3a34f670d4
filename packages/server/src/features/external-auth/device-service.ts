import type { ExternalAuthDevice } from "@slipway/api/external-auth/external-auth";

import type { SealedNotes } from "../../platform/auth/sealed-notes.ts";
import { Invalid } from "../../platform/errors/errors.ts";
import type { UserCaller } from "../../platform/http/caller.ts";
import { ProviderError } from "../../platform/providers/provider-error.ts";
import { type Provider, providerPath } from "./provider.ts";
import { type ExternalAuthNeeds, providerFailed, storeTokens } from "./service.ts";

export interface DeviceNeeds extends ExternalAuthNeeds {
  readonly notes: SealedNotes;
}

/** Begins a login by device flow. The returned code is valid for this user only. */
export async function beginDevice(
  needs: DeviceNeeds,
  userId: string,
  provider: Provider,
  signal: AbortSignal,
): Promise<ExternalAuthDevice> {
  requireDevice(provider);
  const { notes, counts } = needs;
  const found = await counts
    .count(provider, "device", () => provider.client.beginDevice({ signal }))
    .catch((error: unknown) => {
      throw error instanceof ProviderError ? providerFailed(provider, error.message) : error;
    });
  const { expiresInSeconds: seconds } = found;
  const key = { userId, purpose: purposeOf(provider), seconds };
  const { deviceCode: code, userCode, verificationUri } = found;
  return {
    device_code: await notes.seal({ code, userCode, verificationUri }, key),
    user_code: userCode,
    verification_uri: verificationUri,
    expires_in: seconds,
    interval: found.intervalSeconds,
  };
}

/** Completes a login by device flow; throws `Invalid` with the provider's reason, such as `authorization_pending`. */
export async function redeemDevice(
  needs: DeviceNeeds,
  caller: UserCaller,
  provider: Provider,
  { deviceCode, signal }: { readonly deviceCode: string; readonly signal: AbortSignal },
): Promise<void> {
  requireDevice(provider);
  const { notes, counts, clock } = needs;
  const opened = await openDeviceCode(notes, caller.id, provider, deviceCode);
  if (opened === undefined) throw refusedCode("expired_token");
  const { code } = opened;
  const nowMs = clock.now();
  try {
    const tokens = await counts.count(provider, "device", () =>
      provider.client.redeemDevice(code, { nowMs, signal }),
    );
    await storeTokens(needs, caller, provider, tokens);
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error;
    if (error.retryable) throw providerFailed(provider, error.message);
    throw refusedCode(error.reason ?? error.message);
  }
}

interface OpenDeviceCode {
  /** The provider's code. */
  readonly code: string;
  readonly userCode: string;
  readonly verificationUri: string;
}

/** Opens a code that `beginDevice` returned; undefined if it was another user's or for another provider, or has expired. */
export async function openDeviceCode(
  notes: SealedNotes,
  userId: string,
  provider: Provider,
  deviceCode: string,
): Promise<OpenDeviceCode | undefined> {
  const note = await notes.open(deviceCode, { userId, purpose: purposeOf(provider) });
  const { code, userCode, verificationUri } = note ?? {};
  const isWhole =
    typeof code === "string" && typeof userCode === "string" && typeof verificationUri === "string";
  return isWhole ? { code, userCode, verificationUri } : undefined;
}

/** The details with which a provider says that the user has not entered the code yet (RFC 8628 section 3.5). */
export const pendingDetails: ReadonlySet<string> = new Set(["authorization_pending", "slow_down"]);

/** Clients poll while the detail is `authorization_pending` or `slow_down`. */
function refusedCode(detail: string): Invalid {
  return new Invalid("Failed to exchange device code.", { detail });
}

function purposeOf({ id }: Provider): string {
  return `device code of ${id}`;
}

function requireDevice(provider: Provider): void {
  if (provider.deviceCodeUrl !== undefined) return;
  throw new Invalid(`${provider.displayName} does not use the device flow.`, {
    detail: `Log in with a browser at ${providerPath(provider)}.`,
  });
}
