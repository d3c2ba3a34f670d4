import { ClaimStage, openTestDatabase } from "@slipway/testkit";

import type { ReinitView } from "../../src/features/claims/reinit/decide.ts";
import { selectReinitViews } from "../../src/features/claims/reinit/queries.ts";
import { hashAgentToken } from "../../src/platform/auth/agent-token.ts";

/** Opens a stage on its own database, with a pool of `instances` that never expire. */
export async function openStage(
  postgresUrl: string,
  opened: AsyncDisposableStack,
  driver: string,
  { instances = 1, onClaim }: { readonly instances?: number; readonly onClaim?: string } = {},
): Promise<ClaimStage> {
  const { db } = opened.use(await openTestDatabase(postgresUrl));
  return ClaimStage.open(db, {
    driver,
    agentNames: ["main", "second"],
    pool: { instances, expireAfterSeconds: 0, ...(onClaim === undefined ? {} : { onClaim }) },
  });
}

/** Resolves to the state of a token's agent for `/reinit`. */
export async function viewOf({ needs }: ClaimStage, token: string): Promise<ReinitView> {
  const hash = hashAgentToken(token);
  const views = await selectReinitViews(needs.db, [hash]);
  return views.get(hash.toString("hex")) ?? { type: "gone" };
}
