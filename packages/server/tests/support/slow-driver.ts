import {
  type Driver,
  type DriverBuild,
  DriverError,
  type DriverPlan,
  type DriverResult,
  type PlanInput,
} from "@slipway/drivers";
import { abortable } from "@slipway/runtime";

/** A call of a driver for a workspace, with its agents' names and tokens. */
interface Asked {
  readonly what: "start" | "stop" | "delete" | "claim";
  readonly agents: readonly string[];
}

/** A driver whose claims take until the test ends them; everything else succeeds immediately, unless set to fail. */
export class SlowDriver implements Driver {
  readonly name = "manual";
  readonly #asked = new Map<string, Asked[]>();
  /** Set to make starts fail. */
  isBroken = false;
  /** Runs before a deletion, and may fail. */
  beforeDelete: () => Promise<void> = async () => {};
  readonly #claims: PromiseWithResolvers<"succeed" | "fail">[] = [];
  readonly #tokens = new Map<string, string>();
  #begun = Promise.withResolvers<void>();

  /** Resolves once a claim is in progress. */
  get begun(): Promise<void> {
    return this.#begun.promise;
  }

  /** Returns all calls for a workspace since the last time, in order. */
  takeAsked(workspaceId: string): readonly Asked[] {
    const asked = this.#asked.get(workspaceId) ?? [];
    this.#asked.delete(workspaceId);
    return asked;
  }

  /** Ends the claim in progress. */
  end(how: "succeed" | "fail"): void {
    this.#begun = Promise.withResolvers();
    this.#claims.shift()?.resolve(how);
  }

  async plan({ agents }: PlanInput): Promise<DriverPlan> {
    const agentNames = agents.map(({ name }) => name);
    return { resources: [{ type: "machine", name: "one", agentNames }] };
  }

  /** Returns the token that an agent of a workspace was started with. */
  tokenOf(workspaceId: string, agentName: string): string {
    const token = this.#tokens.get(`${workspaceId}/${agentName}`);
    if (token === undefined) throw new Error(`${agentName} of ${workspaceId} was not started`);
    return token;
  }

  async start(build: DriverBuild): Promise<DriverResult> {
    this.#note("start", build);
    if (this.isBroken) throw new DriverError("unavailable", "the machine does not start");
    return this.#run(build);
  }

  #run(build: DriverBuild): DriverResult {
    for (const { name, token } of build.agents) {
      this.#tokens.set(`${build.workspace.id}/${name}`, token);
    }
    const agentNames = build.agents.map(({ name }) => name);
    return { state: undefined, resources: [{ type: "machine", name: "one", agentNames }] };
  }

  async stop(build: DriverBuild): Promise<DriverResult> {
    this.#note("stop", build);
    return { state: undefined, resources: [] };
  }

  async delete(build: DriverBuild): Promise<DriverResult> {
    this.#note("delete", build);
    await this.beforeDelete();
    return { state: undefined, resources: [] };
  }

  async observe(): Promise<{ readonly agents: [] }> {
    return { agents: [] };
  }

  async claim(build: DriverBuild, _log: unknown, signal: AbortSignal): Promise<DriverResult> {
    this.#note("claim", build);
    const ending = Promise.withResolvers<"succeed" | "fail">();
    this.#claims.push(ending);
    this.#begun.resolve();
    if ((await abortable(ending.promise, signal)) === "fail") {
      throw new DriverError("unavailable", "the machine could not be handed over");
    }
    return this.#run(build);
  }

  #note(what: Asked["what"], { workspace: { id }, agents: given }: DriverBuild): void {
    const agents = given.map(({ name, token }) => `${name} ${token}`);
    this.#asked.set(id, [...(this.#asked.get(id) ?? []), { what, agents }]);
  }
}
