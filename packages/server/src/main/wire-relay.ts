import { hostname } from "node:os";

import { openStunListener, Relay, sodiumCrypto, type StunListener } from "@slipway/relay";
import { type Clock, errorText, systemErrorCode, type UnfinishedBytes } from "@slipway/runtime";
import { createRelayDialer } from "@slipway/tailnet/node/relay-dialer";
import type { Registry } from "prom-client";

import type { Coordinator } from "../network/coordinator/coordinator.ts";
import { peerKeys } from "../network/coordinator/reservations.ts";
import { addDerpRoutes, RelayLogins } from "../network/relay/derp-routes.ts";
import { readMeshKey } from "../network/relay/mesh-key.ts";
import { RelayMesh } from "../network/relay/relay-mesh.ts";
import { addMeshMetrics, addRelayMetrics } from "../network/relay/relay-metrics.ts";
import { replicaUrl } from "../network/relay/replica-url.ts";
import type { SecretBox } from "../platform/auth/secret-box.ts";
import type { StunSettings } from "../platform/config/address-settings.ts";
import type { Settings } from "../platform/config/settings.ts";
import { AnonymousStreams } from "../platform/http/anonymous-streams.ts";
import type { Platform } from "../platform/platform.ts";
import type { PubSub } from "../platform/pubsub/pubsub.ts";
import type { Site } from "./open-http.ts";
import { StartError } from "./start-error.ts";

interface RelayParts extends Pick<Platform, "db" | "clock" | "logger"> {
  readonly secrets: SecretBox;
  readonly registry: Registry;
}

type OpenRelayParts = RelayParts & {
  readonly coordinator: Coordinator;
  readonly unfinished: UnfinishedBytes;
};

type MeshParts = Omit<RelayParts, "secrets"> & { readonly pubsub: PubSub };

/** Opens the relay. Its opener closes it before the listener, so that clients are notified. */
export async function openRelay(
  { limits, relayClients }: Pick<Settings, "limits" | "relayClients">,
  { db, coordinator, secrets, unfinished, clock, logger, registry }: OpenRelayParts,
): Promise<Relay> {
  const meshKey = await readMeshKey(db, secrets);
  const relay = new Relay({
    crypto: sodiumCrypto,
    unfinished,
    clock,
    logger: logger.child({ part: "relay" }),
    limits: {
      maxBytesPerSecond: limits.maxRelayBytesPerSecond,
      maxStrangers: limits.maxRelayStrangers,
      maxStrangersPerAddress: limits.maxRelayStrangersPerAddress,
    },
    ...(relayClients === "anyone" ? {} : { publishedKeys: peerKeys({ db, coordinator }) }),
    meshKey,
  });
  addRelayMetrics(registry, relay);
  return relay;
}

/** Adds the routes of the relay. */
export function wireRelay(
  { app, settings: { limits } }: Pick<Site, "app" | "settings">,
  { relay, clock }: { readonly relay: Relay; readonly clock: Clock },
): void {
  const logins = new RelayLogins(limits, clock);
  addDerpRoutes(app, { relay, streams: AnonymousStreams.ofRelay(limits), logins });
}

/** Announces the relay to those of other replicas. The caller runs the result, which links them. */
export async function openMesh(
  { relay, listenPort }: { readonly relay: Relay; readonly listenPort: number },
  { listen, relayUrl }: Pick<Settings, "listen" | "relayUrl">,
  { db, pubsub, clock, logger, registry }: MeshParts,
): Promise<RelayMesh> {
  const mesh = await RelayMesh.open({
    db,
    pubsub,
    clock,
    logger: logger.child({ part: "relay" }),
    relay,
    dialer: createRelayDialer(),
    // New for each process: the links of the previous one are gone.
    self: { id: relay.id, url: relayUrl ?? replicaUrl(listen, listenPort), host: hostname() },
  });
  addMeshMetrics(registry, mesh);
  return mesh;
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
        `cannot listen on ${host} UDP port ${port} for STUN: ${errorText(error)}; choose another with SLIPWAY_STUN_ADDRESS`,
      );
    }
    logger.warn({ host, port, error: errorText(error) }, "STUN is off: cannot listen");
    return undefined;
  }
}
