import { AnswerMonitor } from "./checks/answer-monitor.ts";
import { checkAtRest } from "./checks/check-at-rest.ts";
import { OwnershipMonitor } from "./checks/ownership-monitor.ts";
import { PoolMonitor } from "./checks/pool-monitor.ts";
import { ScriptMonitor } from "./checks/script-monitor.ts";
import { Life } from "./engine/life.ts";
import { Actors } from "./world/actors.ts";
import { FaultInjector } from "./world/fault-injector.ts";
import { Violation } from "./world/monitor.ts";
import type { Setting, SettingOptions } from "./world/setting.ts";
import { World } from "./world/world.ts";

/** The limits after the last fault: until all builds are over, and until everything owed must be done. */
const settleMs = 90_000;
const restMs = 240_000;

export interface WorldOutcome {
  readonly world: World;
  readonly violation: Violation | undefined;
}

/** Runs a world from its start to its rest, or to the first violated invariant. */
export async function runWorld(options: SettingOptions): Promise<WorldOutcome> {
  const world = new World(options);
  const { scheduler, conditions, model, trace } = world.setting;
  const { tables, db } = model;
  const actors = new Actors(world.setting);
  const faultInjector = new FaultInjector(world);
  world.setting.monitors.push(
    new OwnershipMonitor(tables),
    new ScriptMonitor(tables, options.rules.agent.kind),
    new AnswerMonitor(tables),
    new PoolMonitor(tables, db, () => scheduler.nowMs),
    faultInjector,
  );
  try {
    await furnish(world.setting);
    conditions.isCalm = false;
    actors.begin();
    faultInjector.begin();
    await scheduler.run(options.profile.chaosMs);
    trace.add("world", () => "is calm from now on");
    conditions.isCalm = true;
    faultInjector.end();
    await scheduler.run(settleMs);
    void actors.retryFailed();
    await scheduler.run(restMs);
    checkAtRest(world);
    return { world, violation: undefined };
  } catch (error) {
    if (error instanceof Violation) return { world, violation: error };
    throw error;
  } finally {
    scheduler.close();
  }
}

/** Creates a template with two versions, of which the first is active, and a pool for each. */
async function furnish({ model, scheduler, profile }: Setting): Promise<void> {
  const { templates, presets } = model.tables;
  const founder = new Life("founder", scheduler);
  const founded = model.db.query(founder, (trx) => {
    trx.insert(templates, { id: "template", activeVersionId: "v1" });
    for (const versionId of ["v1", "v2"]) {
      trx.insert(presets, {
        id: `preset-${versionId}`,
        versionId,
        desiredInstances: profile.desiredInstances,
        invalidateAfterMs: profile.expireAfterMs,
        lastInvalidatedAtMs: undefined,
        status: "healthy",
      });
    }
  });
  await scheduler.run(1_000);
  await founded;
}
