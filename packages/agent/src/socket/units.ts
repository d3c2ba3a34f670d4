import { CodedError } from "@slipway/runtime";

/** The status of a unit; empty for an unknown one (docs/protocol/agent.md §10). */
export type UnitStatus = "" | "pending" | "started" | "completed";

export interface UnitState {
  readonly unit: string;
  readonly status: UnitStatus;
  /** True if all units that it depends on are completed. */
  readonly isReady: boolean;
}

export interface Dependency {
  readonly dependsOn: string;
  readonly status: UnitStatus;
}

/** The limits on what scripts can make the agent store. */
export const unitLimits = {
  /** The maximum number of units. */
  maxUnits: 4_096,
  /** The maximum number of dependencies of all units together. */
  maxDependencies: 8_192,
  /** The maximum length of a name, in bytes. */
  maxNameBytes: 256,
} as const;

export type UnitErrorCode =
  | "no-name"
  | "long-name"
  | "unknown-unit"
  | "same-status"
  | "not-ready"
  | "cycle"
  | "too-many";

/** A change of units that was refused; nothing has changed. */
export class UnitError extends CodedError<UnitErrorCode> {
  override readonly name = "UnitError";
}

interface Unit {
  status: Exclude<UnitStatus, "">;
  readonly dependsOn: Set<string>;
}

/**
 * Units, mostly scripts, whose start waits for others:
 *
 *              want, start           start, when ready          complete
 *     unknown ────────────► pending ──────────────────► started ────────► completed
 *                              │                                              │  ▲
 *                              └──────────────────── complete ────────────────┼──┘
 *                                                                             └── start ──► started
 *
 * A dependency is satisfied once its unit is completed, whether or not that unit is known yet. Everything is lost with the
 * session of the agent.
 */
export class Units {
  readonly #units = new Map<string, Unit>();
  #dependencies = 0;

  /** Declares that a unit waits for another. Throws `UnitError`, also for a cycle. */
  want(unit: string, dependsOn: string): void {
    requireName(unit);
    requireName(dependsOn);
    if (this.#reaches(dependsOn, unit)) {
      throw new UnitError("cycle", `"${unit}" cannot wait for "${dependsOn}": cycle detected`);
    }
    const { dependsOn: known } = this.#register(unit);
    if (known.has(dependsOn)) return;
    const { maxDependencies } = unitLimits;
    if (this.#dependencies >= maxDependencies) {
      throw new UnitError("too-many", `at most ${maxDependencies} dependencies are remembered`);
    }
    known.add(dependsOn);
    this.#dependencies += 1;
  }

  /** Marks a unit as started. Throws `UnitError` if it waits for others or has started. */
  start(unit: string): void {
    requireName(unit);
    const found = this.#register(unit);
    if (!this.isReady(unit)) {
      throw new UnitError("not-ready", `cannot start unit "${unit}": unit not ready`);
    }
    if (found.status === "started") {
      throw new UnitError("same-status", `cannot start unit "${unit}": already started`);
    }
    found.status = "started";
  }

  /** Marks a unit as completed. Throws `UnitError` if it is unknown or completed. */
  complete(unit: string): void {
    requireName(unit);
    const found = this.#units.get(unit);
    if (found === undefined) {
      throw new UnitError("unknown-unit", `cannot complete unit "${unit}": unit not found`);
    }
    if (found.status === "completed") {
      throw new UnitError("same-status", `cannot complete unit "${unit}": already completed`);
    }
    found.status = "completed";
  }

  /** Reports whether a unit could start; an unknown one could. */
  isReady(unit: string): boolean {
    requireName(unit);
    const found = this.#units.get(unit);
    return found === undefined || found.dependsOn.values().every((one) => this.#isCompleted(one));
  }

  status(unit: string): UnitStatus {
    return this.#units.get(unit)?.status ?? "";
  }

  /** Lists the dependencies of a unit, in the order of their declaration. */
  dependencies(unit: string): readonly Dependency[] {
    const names = [...(this.#units.get(unit)?.dependsOn ?? [])];
    return names.map((dependsOn) => ({ dependsOn, status: this.status(dependsOn) }));
  }

  /** Lists all units by name. */
  list(): readonly UnitState[] {
    const names = [...this.#units.keys()].toSorted();
    return names.map((unit) => ({ unit, status: this.status(unit), isReady: this.isReady(unit) }));
  }

  #isCompleted(unit: string): boolean {
    return this.#units.get(unit)?.status === "completed";
  }

  #register(name: string): Unit {
    const found = this.#units.get(name);
    if (found !== undefined) return found;
    if (this.#units.size >= unitLimits.maxUnits) {
      throw new UnitError("too-many", `at most ${unitLimits.maxUnits} units are remembered`);
    }
    const unit: Unit = { status: "pending", dependsOn: new Set() };
    this.#units.set(name, unit);
    return unit;
  }

  /** Reports whether a unit is another, or depends on it directly or indirectly. */
  #reaches(from: string, to: string): boolean {
    const seen = new Set([from]);
    for (const unit of seen) {
      if (unit === to) return true;
      for (const next of this.#units.get(unit)?.dependsOn ?? []) seen.add(next);
    }
    return false;
  }
}

function requireName(name: string): void {
  if (name === "") throw new UnitError("no-name", "unit name is required");
  if (Buffer.byteLength(name) > unitLimits.maxNameBytes) {
    throw new UnitError("long-name", `a unit name has at most ${unitLimits.maxNameBytes} bytes`);
  }
}
