import type { Workspace } from "@slipway/api/workspaces/workspace";
import { silentLogger } from "@slipway/runtime";
import { agentsOf, type ClaimStage, fillPool, ManualDriver } from "@slipway/testkit";
import { sql } from "kysely";
import { afterEach, beforeEach, expect, inject, it } from "vitest";

import { claimTogether } from "../src/features/claims/claim-together.ts";
import { createWorkspace, type CreateNeeds, type Creation } from "../src/features/claims/create.ts";
import type { NewWorkspace } from "../src/features/claims/new-workspace.ts";
import type { UserCaller } from "../src/platform/http/caller.ts";
import { topics } from "../src/platform/pubsub/pubsub.ts";
import { openStage } from "./support/claim-stage.ts";
import { holdOpen, waitForBlocked } from "./support/lock-waits.ts";

/* Claims of several requests in one transaction: what one request gets, and that none makes another fail. */

let opened: AsyncDisposableStack;
let stage: ClaimStage;
let people: readonly UserCaller[];
/** The prebuilds, oldest first. */
let waiting: readonly string[];

beforeEach(async () => {
  opened = new AsyncDisposableStack();
  stage = await openStage(inject("postgresUrl"), opened, "external", { instances: 4 });
  people = [await stage.addUser("ann"), await stage.addUser("bob"), await stage.addUser("cat")];
  waiting = await fillPool(stage);
});

afterEach(() => opened.disposeAsync());

function request(index: number, input: Partial<NewWorkspace> = {}): Creation {
  const caller = people[index];
  if (caller === undefined) throw new Error(`no person ${index}`);
  return {
    caller,
    input: {
      ownerId: caller.id,
      name: `of-${caller.username}`,
      templateId: stage.templateId,
      versionId: undefined,
      presetId: stage.version.presetId,
      parameters: [],
      transition: "start",
      requiresPrebuild: false,
      settings: {
        automaticUpdates: "never",
        autostart: undefined,
        ttlMs: undefined,
        onDeadline: "stop",
      },
      ...input,
    },
  };
}

const unmeasured = { observe: () => undefined };

function claimAll(
  requests: readonly Creation[],
  needs: Partial<CreateNeeds> = {},
): Promise<readonly (Workspace | undefined)[]> {
  const all = { ...stage.needs, claimSeconds: unmeasured, logger: silentLogger, ...needs };
  return claimTogether(all, requests);
}

/** Creates a workspace for a request that was left over. */
function createAlone({ caller, input }: Creation, needs: Partial<CreateNeeds> = {}) {
  return createWorkspace({ ...stage.needs, claimSeconds: unmeasured, ...needs }, caller, input);
}

it("gives each request its own prebuild, with its owner, name, settings, values, build and audit entry", async () => {
  const tokens = new Map<string, readonly string[]>();
  for (const id of waiting) {
    tokens.set(id, (await agentsOf(stage.needs, id)).map(({ token }) => token).toSorted());
  }
  const settings = (ttlMs: number) => ({ ...request(0).input.settings, ttlMs });
  const requests = [
    request(0, { settings: settings(3_600_000) }),
    request(1, { settings: settings(7_200_000) }),
    request(0, { ownerId: people[2]?.id ?? "", name: "for-cat", settings: settings(10_800_000) }),
    request(1, { name: "second-of-bob", settings: settings(14_400_000) }),
  ];
  const made = await claimAll(requests);
  expect(new Set(made.map((one) => one?.id))).toEqual(new Set(waiting));
  for (const [index, { caller, input }] of requests.entries()) {
    const workspace = made[index];
    if (workspace === undefined) throw new Error("it was left over");
    expect(workspace).toMatchObject({
      name: input.name,
      owner_id: input.ownerId,
      ttl_ms: input.settings.ttlMs,
      latest_build: {
        build_number: 2,
        workspace_id: workspace.id,
        workspace_name: input.name,
        workspace_owner_id: input.ownerId,
        initiator_id: caller.id,
        status: "running",
      },
    });
    const { latest_build: build } = workspace;
    const end = Date.parse(build.deadline ?? "") - Date.parse(build.created_at);
    expect(end).toBe(input.settings.ttlMs);
    const { db } = stage.needs;
    const values = await db
      .selectFrom("workspace_build_parameters")
      .where("workspace_build_id", "=", build.id)
      .select(["name", "value"])
      .execute();
    expect(values).toEqual([{ name: "color", value: "blue" }]);
    const agents = await agentsOf(stage.needs, workspace.id);
    expect(agents.map(({ token }) => token).toSorted()).toEqual(tokens.get(workspace.id));
    const entries = await db
      .selectFrom("audit_log")
      .where("resource_id", "=", workspace.id)
      .where("user_id", "=", caller.id)
      .select(["action", "resource_target", "additional_fields"])
      .execute();
    expect(entries).toEqual([
      {
        action: "create",
        resource_target: input.name,
        additional_fields: { claimed_by_build: build.id },
      },
    ]);
  }
});

it("gives the prebuilds in the order of the requests, best first", async () => {
  const [, first = "", ...others] = waiting;
  await sql`update workspace_agents set disconnected_at = last_connected_at where workspace_build_id =
    (select id from workspace_builds where workspace_id = ${waiting[0]})`.execute(stage.needs.db);
  const requests = [0, 1, 2].map((index) => request(index));
  const made = await claimAll(requests);
  expect(made.map((one) => one?.id)).toEqual([first, ...others].slice(0, 3));
});

it("leaves over those for whom nothing waits, and claims for the others", async () => {
  const requests = [0, 1, 2, 0, 1].map((index, place) => request(index, { name: `n${place}` }));
  const made = await claimAll(requests);
  expect(made.map((one) => one === undefined)).toEqual([false, false, false, false, true]);
  expect(await claimAll(requests.slice(4))).toEqual([undefined]);
});

it("leaves over what is refused, and claims for the others", async () => {
  await createAlone(request(0, { name: "taken", presetId: undefined }));
  const refused = [
    request(0, { name: "TAKEN" }),
    request(0, { name: "no name" }),
    request(1, { parameters: [{ name: "colour", value: "red" }] }),
    request(1, { ownerId: stage.organizationId }),
    request(1, { templateId: stage.organizationId }),
    request(1, { presetId: stage.templateId }),
    request(1, { presetId: undefined, requiresPrebuild: true }),
  ];
  for (const one of refused) {
    const [ofAnn, left, ofCat] = await claimAll([request(0), one, request(2)]);
    expect([ofAnn?.owner_name, left, ofCat?.owner_name]).toEqual(["ann", undefined, "cat"]);
    await expect(createAlone(one)).rejects.toMatchObject({ name: expect.any(String) });
    for (const { id } of [ofAnn, ofCat].flatMap((made) => made ?? [])) {
      await stage.needs.db
        .updateTable("workspaces")
        .set({ deleted: true })
        .where("id", "=", id)
        .execute();
    }
    await fillPool(stage);
  }
});

it("claims one of two requests for the same name", async () => {
  const made = await claimAll([request(0), request(0, { name: "OF-Ann" }), request(1)]);
  expect(made.map((one) => one?.name)).toEqual(["of-ann", undefined, "of-bob"]);
});

it.each(["maxWorkspacesPerUser", "maxRunningWorkspacesPerUser"])(
  "counts the claims of a user together, and leaves those beyond %s to be refused",
  async (name) => {
    const limits = { ...stage.needs.limits, [name]: 2 };
    const requests = [
      request(0, { name: "one" }),
      request(1),
      // An administrator for the same owner.
      { caller: stage.admin, input: request(0, { name: "two" }).input },
      request(0, { name: "three" }),
    ];
    const made = await claimAll(requests, { limits });
    expect(made.map((one) => one?.name)).toEqual(["one", "of-bob", "two", undefined]);
    await expect(createAlone(request(0, { name: "three" }), { limits })).rejects.toMatchObject({
      code: "limit-reached",
    });
  },
);

it("waits for no user whom another transaction holds, and for no prebuild", async () => {
  const { db } = stage.needs;
  const [annId] = people.map(({ id }) => id);
  const held = opened.use(
    await holdOpen(db, async (trx) => {
      await sql`select from users where id = ${annId} for no key update`.execute(trx);
      await sql`select from workspaces where id = any(${waiting.slice(1)}::uuid[])
        for no key update`.execute(trx);
    }),
  );
  const limits = { ...stage.needs.limits, maxWorkspacesPerUser: 2 };
  const made = await claimAll([request(0), request(1), request(2)], { limits });
  expect(made.map((one) => one?.id)).toEqual([undefined, waiting[0], undefined]);
  const alone = createAlone(request(0), { limits });
  await Promise.race([waitForBlocked(db), alone]);
  await held.rollBack();
  expect((await alone).id).toBe(waiting[1]);
});

it("changes nothing when one claim fails in a way that nobody foresaw, and leaves all to be made alone", async () => {
  const { db } = stage.needs;
  await sql`create function fail() returns trigger language plpgsql as
    $$ begin raise 'no entry for %', new.resource_target; end $$`.execute(db);
  await sql`create trigger fails before insert on audit_log for each row
    when (new.resource_target = 'of-bob') execute function fail()`.execute(db);
  const requests = [request(0), request(1), request(2)];
  expect(await claimAll(requests)).toEqual([undefined, undefined, undefined]);
  const builds = await db.selectFrom("workspace_builds").select("build_number").execute();
  expect(builds.map(({ build_number: number }) => number)).toEqual(waiting.map(() => 1));
  const outcomes = await Promise.allSettled(requests.map((one) => createAlone(one)));
  expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
});

it("tells agents and owners of the claims after the commit, not before", async () => {
  const { db } = stage.needs;
  const told: string[] = [];
  const localHints = { hintHere: (topic: string) => void told.push(topic) };
  // The commit derives this row.
  const held = opened.use(
    await holdOpen(db, (trx) =>
      sql`select from workspace_states where workspace_id = ${waiting[1]} for update`.execute(trx),
    ),
  );
  const claiming = claimAll([request(0), request(1)], { localHints }).then((made) => {
    told.push("owners");
    return made;
  });
  await waitForBlocked(db);
  expect(told).toEqual([]);
  await held.commit();
  const made = await claiming;
  const hinted = made.map((one) => topics.claim(one?.id ?? "")).toSorted();
  expect(told.slice(0, 2).toSorted()).toEqual(hinted);
  expect(told.slice(2)).toEqual(["owners"]);
});

it("gives away nothing of a driver that is disabled", async () => {
  const driver = Object.assign(new ManualDriver("external"), { refusal: "is disabled here" });
  const drivers = new Map([["external", driver]]);
  expect(await claimAll([request(0), request(1)], { drivers })).toEqual([undefined, undefined]);
});
