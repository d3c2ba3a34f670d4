import {
  type Driver,
  type DriverBuild,
  DriverError,
  type DriverPlan,
  type DriverResult,
  type PlanInput,
  type WorkspaceObservation,
} from "@slipway/drivers";

type Ending = "succeed" | "fail";

/** A driver without infrastructure whose work lasts until the test ends it. */
export class ManualDriver implements Driver {
  readonly name: string;
  /** The work of a claim; absent where it needs none. */
  readonly claim?: Driver["start"];
  readonly #begun = Promise.withResolvers<void>();
  readonly #ending = Promise.withResolvers<Ending>();

  constructor(name: string) {
    this.name = name;
    if (handsOverByJob(name)) this.claim = this.start;
  }

  /** Resolves once it has work to do. */
  get begun(): Promise<void> {
    return this.#begun.promise;
  }

  end(how: Ending): void {
    this.#ending.resolve(how);
  }

  async plan({ agents }: PlanInput): Promise<DriverPlan> {
    const agentNames = agents.map(({ name }) => name);
    return { resources: [{ type: "machine", name: "one", agentNames }] };
  }

  readonly start: Driver["start"] = (build, _log, signal) => this.#work(build, signal);
  readonly stop: Driver["stop"] = (build, _log, signal) => this.#work(build, signal);
  readonly delete: Driver["delete"] = (build, _log, signal) => this.#work(build, signal);

  /** Reports that nothing runs, so everything to restore is started again. */
  async observe({
    agents,
  }: {
    readonly agents: readonly { readonly id: string }[];
  }): Promise<WorkspaceObservation> {
    return { agents: agents.map(({ id }) => ({ id, status: "absent" })) };
  }

  async #work({ agents }: DriverBuild, signal: AbortSignal): Promise<DriverResult> {
    this.#begun.resolve();
    const aborted = Promise.withResolvers<never>();
    signal.addEventListener("abort", () => aborted.reject(signal.reason), { once: true });
    if ((await Promise.race([this.#ending.promise, aborted.promise])) === "fail") {
      throw new DriverError("unavailable", "the machine is unavailable");
    }
    const agentNames = agents.map(({ name }) => name);
    return { state: undefined, resources: [{ type: "machine", name: "one", agentNames }] };
  }
}

/** Reports whether a claim with this driver needs a job instead of completing with its transaction. */
export function handsOverByJob(name: string): boolean {
  return name === "manual";
}
