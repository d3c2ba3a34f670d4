import type { ReadDerpMap } from "../features/agents/derp-map.ts";
import { WriteBudgets } from "../features/agents/rpc/write-budgets.ts";
import { ClientAccess, type Orphans } from "../network/client-access.ts";
import { clientRpcs } from "../network/client-rpcs.ts";
import type { Coordinator } from "../network/coordinator/coordinator.ts";
import { ResumeTokens } from "../network/resume-token.ts";
import { addTailnetRoutes } from "../network/tailnet-routes.ts";
import type { SecretBox } from "../platform/auth/secret-box.ts";
import type { Site } from "./open-http.ts";
import type { Platform } from "./platform.ts";

interface NetworkParts {
  readonly secrets: SecretBox;
  readonly coordinator: Coordinator;
  readonly orphans: Orphans;
  readonly readDerpMap: ReadDerpMap;
}

/** Adds the routes on which clients reach agents. The result is to be run, for their rights to be watched. */
export function wireNetwork(
  { routes, settings: { limits } }: Site,
  { db, pubsub, clock, logger }: Platform,
  { secrets, coordinator, orphans, readDerpMap }: NetworkParts,
): ClientAccess {
  const tokens = new ResumeTokens(secrets, clock);
  const access = new ClientAccess({ db, pubsub, clock, logger, limits, orphans });
  const budgets = new WriteBudgets(clock);
  const rpcs = clientRpcs({ coordinator, tokens, clock, db, pubsub, readDerpMap });
  addTailnetRoutes(routes, { db, tokens, rpcs, coordinator, access, budgets, clock, logger });
  return access;
}
