import { openStunListener, Relay, sodiumCrypto, type StunListener } from "@slipway/relay";
import { type Clock, errorText, type Logger, systemErrorCode } from "@slipway/runtime";
import type { Registry } from "prom-client";

import { addDerpRoutes } from "../network/derp-routes.ts";
import { addRelayMetrics } from "../network/relay-metrics.ts";
import type { Settings, StunSettings } from "../platform/config/settings.ts";
import { AnonymousStreams } from "../platform/http/anonymous-streams.ts";
import { StartError } from "./errors.ts";
import type { Site } from "./open-http.ts";

interface RelayParts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly registry: Registry;
}

/** Opens the relay. Its opener closes it before the listener, so that clients are told. */
export function openRelay(
  { limits }: Pick<Settings, "limits">,
  { clock, logger, registry }: RelayParts,
): Relay {
  const relay = new Relay({
    crypto: sodiumCrypto,
    clock,
    logger: logger.child({ part: "relay" }),
    limits: { maxBytesPerSecond: limits.maxRelayBytesPerSecond },
  });
  addRelayMetrics(registry, relay.counters);
  return relay;
}

/** Adds the routes of the relay. */
export function wireRelay({ app, settings }: Pick<Site, "app" | "settings">, relay: Relay): void {
  addDerpRoutes(app, { relay, streams: AnonymousStreams.ofRelay(settings.limits) });
}

/** Listens for STUN; undefined if it is off or, unless it is required, not possible. Throws `StartError`. */
export async function openStun(
  settings: StunSettings | undefined,
  httpPort: number,
  { clock, logger }: Pick<RelayParts, "clock" | "logger">,
): Promise<StunListener | undefined> {
  if (settings === undefined) return undefined;
  const { host, port = httpPort, isRequired } = settings;
  try {
    return await openStunListener({ host, port, clock });
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error;
    if (isRequired) {
      throw new StartError(
        "address-refused",
        `cannot listen on ${host} UDP port ${port} for STUN: ${errorText(error)}; choose another by SLIPWAY_STUN_ADDRESS`,
      );
    }
    logger.warn({ host, port, error: errorText(error) }, "STUN is off: cannot listen");
    return undefined;
  }
}
