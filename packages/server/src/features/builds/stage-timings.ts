import type { BuildTimings } from "@slipway/api/builds/timings";
import { maxSteps, type StageTiming } from "@slipway/drivers";
import type { Clock } from "@slipway/runtime";
import { sql } from "kysely";

import type { Queryable } from "../../platform/db/database.ts";
import { storableText } from "../../platform/fields/storable-text.ts";

type ProvisionerTiming = BuildTimings["provisioner_timings"][number];

/** A stage of a job or a step of one. It counts from the end of the job, so that clocks need not agree. */
interface StoredTiming extends Pick<ProvisionerTiming, "stage" | "source" | "action" | "resource"> {
  /** The time from its start to the end of the job. */
  readonly beforeEndMs: number;
  readonly lengthMs: number;
}

/** The maximum number of stages of a build, with those of a driver that cleans up before it. */
const maxStages = 16;

/** Gathers the stages of a build that its driver measures. */
export class StageTimings {
  readonly #clock: Pick<Clock, "now">;
  /** The stages, in the time of this server. */
  readonly #stages: StageTiming[] = [];

  constructor(clock: Pick<Clock, "now">) {
    this.#clock = clock;
  }

  /** Adds a stage that has just ended, whatever the clock of its driver says. */
  add(stage: StageTiming): void {
    if (this.#stages.length === maxStages) return;
    const aheadMs = stage.endedMs - this.#clock.now();
    const moved = <T extends Times>(times: T): T => ({
      ...times,
      startedMs: times.startedMs - aheadMs,
      endedMs: times.endedMs - aheadMs,
    });
    this.#stages.push({ ...moved(stage), steps: stage.steps.map(moved) });
  }

  /** Stores the stages and their longest steps, within the transaction that ends the job. */
  async insert(trx: Queryable, jobId: string): Promise<void> {
    if (this.#stages.length === 0) return;
    const nowMs = this.#clock.now();
    const stored = (stage: StageTiming["stage"], step: StageTiming["steps"][number]) => ({
      stage,
      source: storableText(step.source),
      action: storableText(step.action),
      resource: storableText(step.resource),
      beforeEndMs: Math.round(nowMs - step.startedMs),
      lengthMs: Math.max(0, Math.round(step.endedMs - step.startedMs)),
    });
    const steps = this.#stages
      .flatMap((stage) => stage.steps.map((step) => stored(stage.stage, step)))
      .toSorted((a, b) => b.lengthMs - a.lengthMs)
      .slice(0, maxSteps);
    const timings: readonly StoredTiming[] = [
      ...this.#stages.map(({ stage, startedMs, endedMs }) =>
        stored(stage, { ...wholeStage(stage), startedMs, endedMs }),
      ),
      ...steps.toSorted((a, b) => b.beforeEndMs - a.beforeEndMs),
    ];
    await trx
      .insertInto("job_timings")
      .values({ job_id: jobId, timings: JSON.stringify(timings) })
      .execute();
  }
}

interface Times {
  readonly startedMs: number;
  readonly endedMs: number;
}

/** Returns the fields by which clients know the timing of a whole stage (docs/protocol/clients.md §3.3). */
function wholeStage(
  stage: StageTiming["stage"],
): Pick<ProvisionerTiming, "source" | "action" | "resource"> {
  return { source: "coder", action: "terraform", resource: `coder_stage_${stage}` };
}

/** Reads the stages and steps of a completed job; empty if its driver measured none. */
export async function readStageTimings(
  db: Queryable,
  { id, completed_at }: { readonly id: string; readonly completed_at: string },
): Promise<readonly ProvisionerTiming[]> {
  const row = await db
    .selectFrom("job_timings")
    .where("job_id", "=", id)
    // Written by `StageTimings` alone.
    .select(sql<readonly StoredTiming[]>`timings`.as("timings"))
    .executeTakeFirst();
  const endMs = Date.parse(completed_at);
  return (row?.timings ?? []).map(({ stage, source, action, resource, beforeEndMs, lengthMs }) => ({
    job_id: id,
    started_at: new Date(endMs - beforeEndMs).toISOString(),
    ended_at: new Date(endMs - beforeEndMs + lengthMs).toISOString(),
    stage,
    source,
    action,
    resource,
  }));
}
