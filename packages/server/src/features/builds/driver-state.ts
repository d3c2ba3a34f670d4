import { capabilitiesOf, DriverError } from "@slipway/drivers";
import { sql } from "kysely";

import type { SecretBox } from "../../platform/auth/secret-box.ts";
import type { Queryable } from "../../platform/db/database.ts";
import { JobLost } from "../../platform/jobs/job-lease.ts";
import type { JobHolder } from "../../platform/jobs/queries.ts";

/** The columns of a build that hold its driver's state. */
export interface StateColumns {
  readonly driver_state: Uint8Array | null;
  readonly driver_state_encrypted: Uint8Array | null;
}

/** Reads the state in a build's columns; undefined if it has none. Throws `SecretError`, and `DriverError` for a lost one. */
export function readStateColumns(
  secrets: Pick<SecretBox, "open">,
  { driver_state: plain, driver_state_encrypted: sealed }: StateColumns,
): Uint8Array | undefined {
  if (sealed === null) return plain ?? undefined;
  const text = secrets.open(sealed);
  if (text !== "") return Buffer.from(text);
  throw new DriverError(
    "state-lost",
    "the state of the workspace was discarded with its key: delete the workspace with --orphan, and remove its infrastructure by hand",
  );
}

/** The same columns of a row to write. */
export interface NewStateColumns extends StateColumns {
  readonly driver_state: Buffer | null;
  readonly driver_state_encrypted: Buffer | null;
}

/** A build, by the driver that carries it out. */
interface DriverBuildKey {
  readonly id: string;
  readonly driver: string;
}

/** Returns the columns for a state, which is encrypted if states of the driver hold secrets. */
export function stateColumns(
  secrets: Pick<SecretBox, "seal">,
  driver: string,
  state: Uint8Array | undefined,
): NewStateColumns {
  const none = { driver_state: null, driver_state_encrypted: null };
  if (state === undefined) return none;
  if (!capabilitiesOf(driver).hasSecretState) return { ...none, driver_state: Buffer.from(state) };
  return { ...none, driver_state_encrypted: secrets.seal(Buffer.from(state).toString()) };
}

export async function updateDriverState(
  db: Queryable,
  buildId: string,
  columns: NewStateColumns,
): Promise<void> {
  await db
    .updateTable("workspace_builds")
    .set({ ...columns, updated_at: sql`now()` })
    .where("id", "=", buildId)
    .execute();
}

/** Keeps a state while the build's job runs. Throws `JobLost`, with nothing changed, for an attempt that has lost the job. */
export async function keepDriverState(
  db: Queryable,
  secrets: Pick<SecretBox, "seal">,
  { id, driver, holder }: DriverBuildKey & { readonly holder: JobHolder },
  state: Uint8Array,
): Promise<void> {
  const { jobId, workerId, attempt } = holder;
  const { numUpdatedRows } = await db
    .updateTable("workspace_builds")
    .set({ ...stateColumns(secrets, driver, state), updated_at: sql`now()` })
    .where("id", "=", id)
    .where(({ exists, selectFrom }) =>
      exists(
        selectFrom("jobs")
          .where("id", "=", jobId)
          .where("worker_id", "=", workerId)
          .where("attempt", "=", attempt)
          .where("completed_at", "is", null)
          // What follows it waits until the state is kept.
          .forShare()
          .select("id"),
      ),
    )
    .executeTakeFirst();
  if (numUpdatedRows === 0n) throw new JobLost();
}

/** Reads the state of one build. */
export async function selectBuildState(
  db: Queryable,
  secrets: Pick<SecretBox, "open">,
  buildId: string,
): Promise<Uint8Array | undefined> {
  const row = await db
    .selectFrom("workspace_builds")
    .where("id", "=", buildId)
    .select(["driver_state", "driver_state_encrypted"])
    .executeTakeFirst();
  return row === undefined ? undefined : readStateColumns(secrets, row);
}

/** Reads the newest state of a driver up to the build with a number, ignoring the states of other drivers. */
export async function selectDriverState(
  db: Queryable,
  secrets: Pick<SecretBox, "open">,
  {
    workspaceId,
    upTo,
    driver,
  }: { readonly workspaceId: string; readonly upTo: number; readonly driver: string },
): Promise<Uint8Array | undefined> {
  const row = await db
    .selectFrom("workspace_builds as b")
    .innerJoin("template_versions as v", "v.id", "b.template_version_id")
    .where("b.workspace_id", "=", workspaceId)
    .where("b.build_number", "<=", upTo)
    .where(sql<boolean>`coalesce(b.driver_state, b.driver_state_encrypted) is not null`)
    .where(sql<string>`v.definition ->> 'driver'`, "=", driver)
    .orderBy("b.build_number", "desc")
    .limit(1)
    .select(["b.driver_state", "b.driver_state_encrypted"])
    .executeTakeFirst();
  return row === undefined ? undefined : readStateColumns(secrets, row);
}
