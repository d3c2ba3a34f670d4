import { capabilitiesOf, type Driver, DriverError } from "@slipway/drivers";
import type { Transaction } from "kysely";

import { isOwnerRole, mayWriteTemplates } from "../../platform/auth/rights.ts";
import type { SecretBox } from "../../platform/auth/secret-box.ts";
import type { Database } from "../../platform/db/database.ts";
import type { DB } from "../../platform/db/gen/schema.ts";
import { inTransaction } from "../../platform/db/transaction.ts";
import { Conflict, forbidden, invalidField, notFound } from "../../platform/errors/errors.ts";
import type { UserCaller } from "../../platform/http/caller.ts";
import { diffOf, insertAuditEntry, recordAudit } from "../audit/service.ts";
import {
  selectBuildState,
  selectDriverState,
  type NewStateColumns,
  stateColumns,
  updateDriverState,
} from "./driver-state.ts";
import { lockAuthorized } from "./lock-service.ts";
import { type BuildRow, selectLastBuild } from "./queries.ts";

export interface StateNeeds {
  readonly secrets: SecretBox;
  readonly drivers: ReadonlyMap<string, Driver>;
}

/** A state that a person pushes. */
export interface PushedState {
  readonly bytes: Uint8Array;
  /** True to replace a newer state, and that of another lineage. */
  readonly isForced: boolean;
}

/**
 * Reads the state of a build, which may hold secrets; empty if its driver keeps its state to itself. Throws `NotFound` for
 * those who do not write templates.
 */
export async function pullState(
  { db, secrets }: Pick<StateNeeds, "secrets"> & { readonly db: Database },
  caller: UserCaller,
  build: BuildRow,
): Promise<Uint8Array> {
  if (!mayWriteTemplates(caller)) throw notFound();
  if (!capabilitiesOf(build.driver).hasSecretState) return new Uint8Array();
  const state = await selectBuildState(db, secrets, build.id).catch(rethrowLost);
  await insertAuditEntry(db, entryOf(caller, build, "open", {}));
  return state ?? new Uint8Array();
}

/**
 * Replaces the state from which the next build of the workspace continues. Throws `Conflict` while a build is active, and
 * for any but the newest build.
 */
export async function pushState(
  needs: StateNeeds & { readonly db: Database },
  caller: UserCaller,
  build: BuildRow,
  pushed: PushedState,
): Promise<void> {
  const { db } = needs;
  if (!mayWriteTemplates(caller)) throw notFound();
  const { id, workspace_id: workspaceId, driver } = build;
  await inTransaction(db, async (trx) => {
    await lockAuthorized(trx, { id: workspaceId, ownerId: build.owner_id });
    const last = await selectLastBuild(trx, workspaceId);
    if (last?.id !== id) {
      throw new Conflict(`Build ${build.build_number} is not the newest of its workspace.`, {
        detail: `Push the state to build ${last?.build_number}, from which the next one continues.`,
      });
    }
    if (last.completed_at === null) {
      throw new Conflict("A workspace build is already active.", {
        detail: "Wait until it has finished, then pull the state again.",
      });
    }
    const state = await acceptState(trx, needs, caller, { workspaceId, driver }, pushed);
    await updateDriverState(trx, id, state.columns);
    await recordAudit(trx, entryOf(caller, build, "write", state.change));
  });
}

/** A state that may follow the one that is kept. */
export interface AcceptedState {
  readonly columns: NewStateColumns;
  readonly change: ReturnType<typeof diffOf>;
}

/** Checks a pushed state of a workspace, which is locked. Throws `Invalid` for one that cannot follow the kept one. */
export async function acceptState(
  trx: Transaction<DB>,
  { secrets, drivers }: StateNeeds,
  caller: UserCaller,
  { workspaceId, driver }: { readonly workspaceId: string; readonly driver: string | null },
  { bytes, isForced }: PushedState,
): Promise<AcceptedState> {
  const name = driver ?? "";
  if (capabilitiesOf(name).runsOnServerMachine && !isOwnerRole(caller)) {
    throw forbidden(
      "Only owners push states: those name providers, which run on the server's machine.",
    );
  }
  const carrier = drivers.get(name);
  if (carrier?.stateProblem === undefined) {
    throw invalidField("state", `cannot be replaced: that of the driver ${name} is its own`);
  }
  const subject = { workspaceId, upTo: lastNumber, driver: name };
  const kept = await selectDriverState(trx, secrets, subject).catch((error: unknown) => {
    if (isForced && error instanceof DriverError) return undefined;
    return rethrowLost(error);
  });
  const problem = carrier.stateProblem(bytes, kept, isForced);
  if (problem !== undefined) throw invalidField("state", problem);
  const size = (state: Uint8Array | undefined) => ({
    state_bytes: state?.length ?? 0,
    forced: false,
  });
  return {
    columns: stateColumns(secrets, name, bytes),
    change: diffOf(size(kept), { ...size(bytes), forced: isForced }),
  };
}

/** The largest value of the column. */
const lastNumber = 2 ** 31 - 1;

/** Reads a state in base64; throws `Invalid` for other text. */
export function readState(text: string): Uint8Array {
  const bytes = Buffer.from(text, "base64");
  if (text !== "" && bytes.toString("base64") === text) return bytes;
  throw invalidField("state", "must be the file of a state in base64");
}

/** Throws `Forbidden` for those who may not replace the state of a new build. */
export function requireStateWriter(caller: UserCaller): void {
  if (!mayWriteTemplates(caller)) {
    throw forbidden("Only those who write templates can push the state of a workspace.");
  }
}

function rethrowLost(error: unknown): never {
  if (!(error instanceof DriverError)) throw error;
  throw new Conflict("The state of the workspace is lost.", {
    detail: "Its key was discarded. Push a state with force, or delete the workspace with orphan.",
  });
}

function entryOf(
  by: UserCaller,
  build: BuildRow,
  action: "open" | "write",
  diff: ReturnType<typeof diffOf>,
) {
  return {
    by,
    organizationId: undefined,
    action,
    resourceType: "workspace_build",
    resourceId: build.id,
    target: build.workspace_name,
    diff,
    fields: {
      workspace_owner: build.owner_name,
      build_number: build.build_number,
      provisioner_state: true,
    },
  } as const;
}
