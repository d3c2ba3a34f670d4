import { silentLogger } from "@slipway/runtime";
import { createFakeClock, type FakeClock } from "@slipway/testkit";
import { onTestFinished } from "vitest";

import { Relay, type RelayOptions } from "../../src/relay.ts";
import { sodiumCrypto } from "../../src/sodium-crypto.ts";

/** Opens a relay on a clock that stands, for the length of a test. */
export function openTestRelay(
  options: Partial<Pick<RelayOptions, "meshKey" | "limits" | "crypto">> = {},
): { readonly relay: Relay; readonly clock: FakeClock } {
  const clock = createFakeClock();
  const relay = new Relay({ crypto: sodiumCrypto, clock, logger: silentLogger, ...options });
  onTestFinished(() => relay.close(0));
  return { relay, clock };
}
