import type { DeviceAuthorizationResponse } from "oauth4webapi";

import { ProviderError } from "./errors.ts";

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

/** Reads the code of an answer; throws `ProviderError` if it is none to show. */
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
