import { type ClaimStage, fillPool } from "@slipway/testkit";
import { afterEach, beforeEach, expect, inject, it } from "vitest";

import { choosePrebuilds } from "../src/features/claims/choose-prebuilds.ts";
import { sqlClaim } from "../src/features/claims/claim-queries.ts";
import type { UserCaller } from "../src/platform/http/caller.ts";
import { openStage } from "./support/claim-stage.ts";

/* A claim skips prebuilds that change between its choice and its lock, sixteen at most. */

let opened: AsyncDisposableStack;
let stage: ClaimStage;
let ann: UserCaller;

beforeEach(async () => {
  opened = new AsyncDisposableStack();
  stage = await openStage(inject("postgresUrl"), opened, "external", { instances: 17 });
  ann = await stage.addUser("ann");
  await fillPool(stage);
});

afterEach(() => opened.disposeAsync());

const settings = {
  automatic_updates: "never",
  autostart_schedule: null,
  next_start_at: null,
  ttl_ms: null,
  on_deadline: "stop",
} as const;

function restartAgents(workspaceId: string) {
  return stage.needs.db
    .updateTable("workspace_agents")
    .set({ lifecycle_state: "starting" })
    .where("workspace_build_id", "in", (eb) =>
      eb.selectFrom("workspace_builds").where("workspace_id", "=", workspaceId).select("id"),
    )
    .execute();
}

/**
 * Claims for Ann while the first prebuilds that it chooses change; resolves to the choice and the skipped prebuilds.
 */
function claimPast(changes: number) {
  return stage.needs.db.transaction().execute(async (trx) => {
    const claim = sqlClaim(trx, { endsAgents: true, waits: true });
    const passed: (readonly string[])[] = [];
    const owner = { ownerId: ann.id, name: `past-${changes}`, settings };
    const [id] = await choosePrebuilds(
      {
        lockPrebuilds: async (presetId, wanted) => {
          const [chosen] = await claim.lockPrebuilds(presetId, wanted);
          passed.push([...wanted.except]);
          if (chosen === undefined) return [];
          if (passed.length <= changes) await restartAgents(chosen);
          return [chosen];
        },
        claimPrebuilds: (...change) => claim.claimPrebuilds(...change),
      },
      stage.version.presetId,
      [owner],
    );
    return { id, passed };
  });
}

it("takes the sixteenth when the fifteen before it change", async () => {
  const { id, passed } = await claimPast(15);
  expect(id).toBeDefined();
  expect(passed.map(({ length }) => length)).toEqual(Array.from({ length: 16 }, (_, n) => n));
  expect(passed.at(-1)).not.toContain(id);
});

it("takes none when sixteen change, and holds no more of them", async () => {
  const { id, passed } = await claimPast(16);
  expect(id).toBeUndefined();
  expect(passed).toHaveLength(16);
});
