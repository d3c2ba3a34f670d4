import {
  type AgentObservation,
  capabilitiesOf,
  type Driver,
  type DriverLog,
} from "@slipway/drivers";
import { errorText, type Logger } from "@slipway/runtime";

import { inTransaction } from "../../platform/db/transaction.ts";
import { resetAgents } from "../agents/build-service.ts";
import { type BuildContext, selectRunningBuilds } from "./build-context.ts";
import {
  type BuildNeeds,
  readDriverBuild,
  requireDriver,
  updateDriverState,
} from "./driver-build.ts";

/**
 * Checks that the agents of this worker's running workspaces still run, and restarts those that do not: a restart of the
 * machine or of the server may have ended them. Resolves to the number of workspaces restarted.
 */
export async function restoreWorkspaces(
  needs: BuildNeeds,
  workerId: string,
  logger: Logger,
  signal: AbortSignal,
): Promise<number> {
  let started = 0;
  for (const context of await selectRunningBuilds(needs.db, workerId)) {
    if (!capabilitiesOf(context.definition.driver).needsRestore) continue;
    const log = logger.child({ workspace: context.workspace_name, owner: context.owner_username });
    try {
      const driver = requireDriver(needs.drivers, context.definition.driver);
      if (await restoreOne(needs, driver, context, log, signal)) started += 1;
    } catch (error) {
      signal.throwIfAborted();
      log.error({ error: errorText(error) }, "cannot restart workspace");
    }
  }
  return started;
}

async function restoreOne(
  needs: BuildNeeds,
  driver: Driver,
  context: BuildContext,
  logger: Logger,
  signal: AbortSignal,
): Promise<boolean> {
  const build = await readDriverBuild(needs, context);
  const observed = await driver.observe(
    { workspaceId: context.workspace_id, agents: build.agents, state: build.state },
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
  const result = await driver.start(build, log, signal);
  await inTransaction(needs.db, (trx) => updateDriverState(trx, context.id, result.state));
  logger.info({}, "workspace was not running; restarted it");
  return true;
}

function isRunning({ status }: AgentObservation): boolean {
  return status === "running";
}
