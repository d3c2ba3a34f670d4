import { type AgentObservation, type Driver, DriverError, type DriverLog } from "@slipway/drivers";
import { errorText, type Logger } from "@slipway/runtime";

import { inTransaction } from "../../platform/db/transaction.ts";
import { resetAgents } from "../agents/build-service.ts";
import { type BuildContext, selectRunningBuild, selectRunningBuilds } from "./build-context.ts";
import { type BuildNeeds, readDriverBuild, requireDriver, runStart } from "./driver-build.ts";
import { stateColumns, updateDriverState } from "./driver-state.ts";

/** The scope of a restoration. */
interface Restoration {
  readonly workerId: string;
  /** The drivers whose workspaces are restored. */
  readonly drivers: readonly string[];
  readonly logger: Logger;
}

/** The maximum number of workspaces that are restored at the same time. */
const maxRestoring = 4;

/**
 * Checks that the agents of this worker's running workspaces still run, and restarts those that do not: a restart of the
 * machine, of the server or of a driver's infrastructure may have ended them. Resolves to the number of workspaces
 * restarted. Rejects with the `DriverError` of infrastructure that does not respond.
 */
export async function restoreWorkspaces(
  needs: BuildNeeds,
  { workerId, drivers, logger }: Restoration,
  signal: AbortSignal,
): Promise<number> {
  const running = await selectRunningBuilds(needs.db, workerId);
  const contexts = running.filter(({ definition }) => drivers.includes(definition.driver)).values();
  let started = 0;
  let outage: DriverError | undefined;
  const restoreEach = async (): Promise<void> => {
    for (const context of contexts) {
      if (outage !== undefined || signal.aborted) return;
      const log = logger.child({
        workspace: context.workspace_name,
        owner: context.owner_username,
      });
      try {
        if (await restoreOne(needs, context, log, signal)) started += 1;
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof DriverError && error.retryable) outage = error;
        else log.error({ error: errorText(error) }, "cannot restart workspace");
      }
    }
  };
  await Promise.all(Array.from({ length: maxRestoring }, restoreEach));
  signal.throwIfAborted();
  if (outage !== undefined) throw outage;
  return started;
}

/** Restores a workspace in its turn, unless a build has begun meanwhile. */
function restoreOne(
  needs: BuildNeeds,
  { id, workspace_id: workspaceId }: BuildContext,
  logger: Logger,
  signal: AbortSignal,
): Promise<boolean> {
  return needs.turns.run(workspaceId, signal, async () => {
    const context = await selectRunningBuild(needs.db, id);
    if (context === undefined) return false;
    const driver = requireDriver(needs.drivers, context.definition.driver);
    return restoreBuild(needs, { driver, context, logger }, signal);
  });
}

interface BuildToRestore {
  readonly driver: Driver;
  readonly context: BuildContext;
  readonly logger: Logger;
}

async function restoreBuild(
  needs: BuildNeeds,
  { driver, context, logger }: BuildToRestore,
  signal: AbortSignal,
): Promise<boolean> {
  const build = await readDriverBuild(needs, { context, lease: undefined });
  const observed = await driver.observe(
    {
      workspaceId: context.workspace_id,
      agents: build.agents,
      state: await build.readState(),
    },
    signal,
  );
  if (driver.refusal !== undefined) {
    const fields = { driver: driver.name, agents: observed.agents.filter(isRunning).length };
    logger.warn(fields, "workspace of a disabled driver: stop it, or enable the driver");
    return false;
  }
  const gone = observed.agents.filter((agent) => agent.status === "absent");
  if (gone.length === 0) return false;
  await resetAgents(
    needs.db,
    gone.map((agent) => agent.id),
  );
  const log: DriverLog = { write: (_level, _stage, line) => logger.debug({ line }, "driver") };
  const result = await runStart(needs, driver, { build, fileId: context.file_id }, log, signal);
  const { id, definition } = context;
  const columns = stateColumns(needs.secrets, definition.driver, result.state);
  await inTransaction(needs.db, (trx) => updateDriverState(trx, id, columns));
  logger.info({}, "workspace was not running; restarted it");
  return true;
}

function isRunning({ status }: AgentObservation): boolean {
  return status === "running";
}
