import { nameProblem } from "@slipway/api/contract/name";
import { nilUuid } from "@slipway/api/contract/nil-uuid";
import type { Workspace } from "@slipway/api/workspaces/workspace";
import { errorText, type Logger } from "@slipway/runtime";

import type { Database } from "../../platform/db/database.ts";
import { isOutage } from "../../platform/db/errors.ts";
import { inTransaction } from "../../platform/db/transaction.ts";
import { Refusal } from "../../platform/errors/errors.ts";
import { hasTags } from "../../platform/jobs/tags.ts";
import { topics } from "../../platform/pubsub/pubsub.ts";
import { lockRooms, type Room } from "../builds/quota-service.ts";
import { requireRenderable } from "../builds/render.ts";
import { jobTags } from "../templates/job-tags-service.ts";
import { selectWorkspacesWithBuilds } from "../workspaces/queries.ts";
import { describeFound } from "../workspaces/service.ts";
import { selectOwners } from "./claim-queries.ts";
import { type Claim, claimAll } from "./claim.ts";
import {
  checkCreation,
  type CheckedCreation,
  type CreateNeeds,
  type Creation,
  noteClaim,
} from "./create.ts";
import { findOrigin, type Origin } from "./new-workspace.ts";

interface ClaimTogetherNeeds extends CreateNeeds {
  readonly logger: Logger;
}

/**
 * Claims workspaces for several requests in one transaction, which never waits for a lock. Resolves to the workspaces in
 * the order of the requests, undefined for those that it leaves to `createWorkspace`, which explains a refusal, waits for
 * locks, and creates a workspace when no prebuild waits. Rejects if the database is unavailable.
 */
export async function claimTogether(
  needs: ClaimTogetherNeeds,
  requests: readonly Creation[],
): Promise<readonly (Workspace | undefined)[]> {
  try {
    return await claimPossible(needs, requests);
  } catch (error) {
    if (isOutage(error)) throw error;
    needs.logger.warn(
      { error: errorText(error), requests: requests.length },
      "cannot claim workspaces together, trying one by one",
    );
    return requests.map(() => undefined);
  }
}

async function claimPossible(
  needs: CreateNeeds,
  requests: readonly Creation[],
): Promise<readonly (Workspace | undefined)[]> {
  const { db, pubsub, clock, limits } = needs;
  const startMs = clock.monotonic();
  const claims = await findClaims(needs, requests);
  const { created, found } = await inTransaction(db, async (trx) => {
    const rooms = await lockRooms(trx, limits, claims.map(subjectOf), { waits: false });
    const admitted = claims.filter((claim) => hasRoom(rooms.of(subjectOf(claim))));
    const byClaim = await claimAll(trx, needs, admitted, { waits: false });
    const ids = [...byClaim.values()].map(({ id }) => id);
    // Read now: after the commit the agents request their own data, and nothing should delay it.
    const rows = ids.length === 0 ? [] : await selectWorkspacesWithBuilds(trx, ids);
    return { created: byClaim, found: new Map(rows.map((row) => [row.workspace.id, row])) };
  });
  if (created.values().some(({ isQueued }) => isQueued)) pubsub.publish(topics.jobQueue);
  const claimed = [...created].flatMap(([{ input, prepared }, { id }]) => {
    const one = found.get(id);
    return one === undefined ? [] : [{ input, one, presetName: prepared.presetName }];
  });
  for (const { one, presetName } of claimed) noteClaim(needs, one, presetName, startMs);
  const now = clock.now();
  const workspaces = new Map(claimed.map(({ input, one }) => [input, describeFound(one, now)]));
  return requests.map(({ input }) => workspaces.get(input));
}

function subjectOf({ caller, input }: Creation) {
  return { ownerId: input.ownerId, initiatorId: caller.id };
}

function hasRoom(room: Room | undefined): boolean {
  if (room === undefined) return false;
  return isAccepted(() => {
    room.requireWorkspace();
    room.requireStart();
  });
}

/** Returns whether a check refuses nothing. */
function isAccepted(check: () => void): boolean {
  try {
    check();
    return true;
  } catch (error) {
    if (error instanceof Refusal) return false;
    throw error;
  }
}

/** Finds the requests that a prebuild could serve and that pass all checks but the limits of their users. */
async function findClaims(
  { db, drivers }: CreateNeeds,
  requests: readonly Creation[],
): Promise<readonly Claim[]> {
  const named = withoutRepetitions(requests);
  const inputs = named.map(({ input }) => input);
  const [checked, owners] = await Promise.all([checkAll(db, named), selectOwners(db, inputs)]);
  return checked.flatMap((one, index) => {
    const owner = owners.get(index);
    if (one?.prepared === undefined || owner === undefined) return [];
    const { input, template, version, prepared } = one;
    const { refusal } = drivers.get(version.definition.driver) ?? {};
    if (refusal !== undefined && !hasTags(jobTags(version))) return [];
    const context = {
      ...owner,
      definition: version.definition,
      workspace_id: nilUuid,
      workspace_name: input.name,
      template_name: template.name,
      template_version_name: version.name,
    };
    const renders = isAccepted(() => requireRenderable(context, prepared.parameters));
    return renders ? [{ ...one, prepared }] : [];
  });
}

/** Returns the requests with valid names, of those for the same name of one owner the first. */
function withoutRepetitions(requests: readonly Creation[]): readonly Creation[] {
  const valid = requests.filter(({ input }) => nameProblem(input.name) === undefined);
  const keyOf = ({ input: { ownerId, name } }: Creation) => `${ownerId} ${name.toLowerCase()}`;
  return [...Map.groupBy(valid, keyOf).values()].flatMap(([first]) => first ?? []);
}

/** Checks requests, and reads the origin that several have in common once; undefined for those that are refused. */
function checkAll(
  db: Database,
  requests: readonly Creation[],
): Promise<readonly (CheckedCreation | undefined)[]> {
  const origins = new Map<string, Promise<Origin>>();
  return Promise.all(
    requests.map(async (request) => {
      const { templateId, versionId } = request.input;
      const key = JSON.stringify([templateId, versionId]);
      const origin = origins.get(key) ?? findOrigin(db, request.input);
      origins.set(key, origin);
      try {
        return await checkCreation(db, request, await origin);
      } catch (error) {
        if (error instanceof Refusal) return undefined;
        throw error;
      }
    }),
  );
}
