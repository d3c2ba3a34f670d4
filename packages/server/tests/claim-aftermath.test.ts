import { silentLogger } from "@slipway/runtime";
import {
  agentsOf,
  bringToLife,
  type ClaimStage,
  connect,
  createFakeClock,
  fillPool,
  type StageAgent,
} from "@slipway/testkit";
import { afterEach, beforeEach, describe, expect, inject, it } from "vitest";

import { decideReinit } from "../src/features/claims/reinit/decide.ts";
import { followReinit, type ReinitAnswer } from "../src/features/claims/reinit/follow.ts";
import { GatheredViews, markReinitSent } from "../src/features/claims/reinit/queries.ts";
import { deletePrebuild } from "../src/features/prebuilds/prebuild-service.ts";
import { lockPrebuildToDelete } from "../src/features/prebuilds/reconcile/queries.ts";
import { hashAgentToken } from "../src/platform/auth/agent-token.ts";
import type { UserCaller } from "../src/platform/http/caller.ts";
import { openStage, viewOf } from "./support/claim-stage.ts";
import { holdOpen, waitForBlocked } from "./support/lock-waits.ts";

let opened = new AsyncDisposableStack();
let stage: ClaimStage;
let ann: UserCaller;
let prebuildId: string;
let agents: readonly StageAgent[];

beforeEach(() => begin("external"));

/** Opens a stage with a prebuild, in place of the previous stage. */
async function begin(driver: "manual" | "external"): Promise<void> {
  await opened.disposeAsync();
  opened = new AsyncDisposableStack();
  stage = await openStage(inject("postgresUrl"), opened, driver);
  ann = await stage.addUser("ann");
  [prebuildId = ""] = await fillPool(stage);
  agents = await agentsOf(stage.needs, prebuildId);
}

afterEach(() => opened.disposeAsync());

const claim = () => stage.create(ann, { name: "mine", presetId: stage.version.presetId });

/** Opens a stream on a replica that gets no hints from others, with a clock that the test moves. */
function openStream({ token, id: agentId }: StageAgent) {
  const { db, pubsub } = stage.needs;
  const clock = createFakeClock();
  const views = new GatheredViews(db);
  const answers = followReinit(
    {
      hints: pubsub,
      readView: () => views.read(hashAgentToken(token)),
      markSent: (id) => markReinitSent(db, id),
      decide: decideReinit,
      clock,
      random: () => 0.5,
      logger: silentLogger,
    },
    { workspaceId: prebuildId, agentId, wasClaiming: false, waits: true },
    new AbortController().signal,
  );
  return { answers, clock };
}

/** Resolves to the next response, after as many checks as it takes. */
async function nextOf({
  answers,
  clock,
}: ReturnType<typeof openStream>): Promise<ReinitAnswer | undefined> {
  let isThere = false;
  const next = answers.next().finally(() => {
    isThere = true;
  });
  const look = async (): Promise<boolean> => {
    await clock.advance(1_000);
    return isThere;
  };
  await expect.poll(look, { timeout: 20_000, interval: 5 }).toBe(true);
  return (await next).value ?? undefined;
}

describe("an agent whose replica hears nothing of the claim", () => {
  it("is told once, at the next look", async () => {
    const [main] = agents;
    if (main === undefined) throw new Error("the prebuild has no agent");
    const stream = openStream(main);
    expect(await nextOf(stream)).toEqual({ type: "open" });
    const { id: workspaceId } = await claim();
    expect(await nextOf(stream)).toEqual({ type: "frame", workspaceId, ownerId: ann.id });
    expect(await nextOf(stream)).toBeUndefined();
    const [again] = await agentsOf(stage.needs, workspaceId);
    expect(await markReinitSent(stage.needs.db, again?.id ?? "")).toBe(false);
  });
});

describe("a claim", () => {
  it("keeps the tokens of all root agents of a prebuild with a sub-agent, and ends that", async () => {
    const { db } = stage.needs;
    const [main] = agents;
    const row = await db
      .selectFrom("workspace_agents")
      .where("id", "=", main?.id ?? "")
      .selectAll()
      .executeTakeFirstOrThrow();
    const sub = await db
      .insertInto("workspace_agents")
      .values({
        name: "container",
        parent_id: row.id,
        resource_id: row.resource_id,
        workspace_build_id: row.workspace_build_id,
        auth_token_hash: hashAgentToken("11111111-1111-4111-8111-111111111111"),
        auth_token_encrypted: Buffer.from("sealed"),
        architecture: "amd64",
        operating_system: "linux",
        environment_variables: {},
        directory: "",
      })
      .returning("id")
      .executeTakeFirstOrThrow();
    const { id } = await claim();
    expect(id).toBe(prebuildId);
    const now = await agentsOf(stage.needs, id);
    expect(now.map(({ name, token }) => [name, token])).toEqual(
      agents.map(({ name, token }) => [name, token]),
    );
    const ended = await db
      .selectFrom("workspace_agents")
      .where("id", "=", sub.id)
      .select("deleted")
      .executeTakeFirst();
    expect(ended?.deleted).toBe(true);
    expect(await connect(stage.needs, "11111111-1111-4111-8111-111111111111")).toBeUndefined();
  });

  it("makes an ordinary workspace of what the reconciler deletes meanwhile, and takes what it leaves", async () => {
    const { db } = stage.needs;
    const deleting = opened.use(
      await holdOpen(db, async (trx) => {
        const prebuild = await lockPrebuildToDelete(trx, prebuildId);
        if (prebuild === undefined) throw new Error("somebody else has it");
        await deletePrebuild(trx, prebuild);
      }),
    );
    const claiming = claim();
    await waitForBlocked(db);
    await deleting.commit();
    const workspace = await claiming;
    expect(workspace.id).not.toBe(prebuildId);
    expect(workspace.latest_build.build_number).toBe(1);
  });

  it("takes the prebuild whose deletion is undone", async () => {
    const { db } = stage.needs;
    const deleting = opened.use(
      await holdOpen(db, async (trx) => {
        const prebuild = await lockPrebuildToDelete(trx, prebuildId);
        if (prebuild !== undefined) await deletePrebuild(trx, prebuild);
      }),
    );
    const claiming = claim();
    await waitForBlocked(db);
    await deleting.rollBack();
    expect((await claiming).id).toBe(prebuildId);
  });
});

describe("a build of the owner right after the claim, before any agent was told", () => {
  it.each([["start"], ["stop", "start"]] as const)(
    "%s ends what was owed, with the processes: the new ones are told nothing",
    async (...transitions) => {
      // With this driver a restarted agent has a new token.
      await begin("manual");
      const [main] = agents;
      if (main === undefined) throw new Error("the prebuild has no agent");
      const stream = openStream(main);
      expect(await nextOf(stream)).toEqual({ type: "open" });
      const { id } = await claim();
      await stage.carryOut();
      expect(await viewOf(stage, main.token)).toMatchObject({ standing: "claimed", isOwed: true });
      for (const transition of transitions) {
        await stage.build(ann, id, transition);
        await stage.carryOut();
      }
      expect(await viewOf(stage, main.token)).toEqual({ type: "gone" });
      expect(await nextOf(stream)).toEqual({ type: "end" });
      await bringToLife(stage.needs, id);
      for (const { token } of await agentsOf(stage.needs, id)) {
        expect(await viewOf(stage, token)).toMatchObject({ standing: "claimed", isOwed: false });
      }
    },
  );

  it("a stop that has not ended keeps the agent waiting, and never refuses it", async () => {
    const [main] = agents;
    if (main === undefined) throw new Error("the prebuild has no agent");
    const { id } = await claim();
    await stage.build(ann, id, "stop");
    const view = await viewOf(stage, main.token);
    expect(view).toMatchObject({ standing: "claimed", isOwed: true });
    const stream = { agentId: main.id, wasClaiming: false, waits: true, ageMs: 0 };
    expect(decideReinit(view, stream).type).toBe("send");
  });
});
