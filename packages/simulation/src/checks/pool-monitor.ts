import type { PoolSnapshot, Reconciliation } from "@slipway/server/claims";

import type { Tables } from "../model/tables.ts";
import { committed, View } from "../model/view.ts";
import type { Database } from "../store/database.ts";
import { rowKey } from "../store/table.ts";
import { type ClaimAttempt, type ClaimOutcome, type Monitor, Violation } from "../world/monitor.ts";

interface WatchedAttempt extends ClaimAttempt {
  /** The prebuilds that have waited unlocked since it began. */
  free: readonly string[];
}

/** Checks the effect of reconcilers and claims on pools: S10, S11 and L5 of docs/protocol/prebuilds.md §7. */
export class PoolMonitor implements Monitor {
  readonly #tables: Tables;
  readonly #db: Database;
  readonly #nowMs: () => number;
  readonly #view: View;
  readonly #attempts = new Map<string, WatchedAttempt>();

  constructor(tables: Tables, db: Database, nowMs: () => number) {
    this.#tables = tables;
    this.#db = db;
    this.#nowMs = nowMs;
    this.#view = new View(tables, committed);
  }

  planned({ pool, prebuilds }: PoolSnapshot, plan: Reconciliation): void {
    const isOver = (status: string): boolean => status !== "pending" && status !== "running";
    const starts = prebuilds.filter(({ build }) => build.transition === "start");
    const coming = starts.filter(({ build }) => !isOver(build.status)).length;
    const running = starts.filter(
      ({ build, workspaceId }) =>
        build.status === "succeeded" && !plan.remove.includes(workspaceId),
    ).length;
    const desired = pool.isActive ? pool.desiredInstances : 0;
    if (plan.create > Math.max(desired - running - coming, 0)) {
      throw new Violation(
        "S10",
        `makes ${plan.create} for ${pool.presetId}, which wants ${desired} and has ${running} and ${coming}`,
      );
    }
    if (plan.create > 0 && plan.held !== undefined) {
      throw new Violation(
        "S11",
        `makes ${plan.create} for ${pool.presetId}, which is ${plan.held}`,
      );
    }
  }

  claimBegan(attempt: ClaimAttempt): void {
    const free = this.#tables.workspaces
      .all()
      .map(({ id }) => id)
      .filter((id) => !this.#db.isLocked(this.#tables.workspaces, id));
    this.#attempts.set(attempt.id, { ...attempt, free });
    this.committed();
  }

  locked(key: string): void {
    for (const attempt of this.#attempts.values()) {
      attempt.free = attempt.free.filter((id) => rowKey(this.#tables.workspaces, id) !== key);
    }
  }

  committed(): void {
    for (const attempt of this.#attempts.values()) {
      attempt.free = attempt.free.filter((id) =>
        this.#view.isWaiting(id, attempt.presetId, this.#nowMs()),
      );
    }
  }

  claimEnded({ id }: ClaimAttempt, outcome: ClaimOutcome): void {
    this.committed();
    const [free] = this.#attempts.get(id)?.free ?? [];
    this.#attempts.delete(id);
    if (free === undefined || outcome === "claimed" || outcome === "failed") return;
    throw new Violation("L5", `a claim got ${outcome} although ${free} waited throughout`, free);
  }
}
