import type { DriverBuild } from "../../src/drivers/driver-build.ts";
import type { Driver, DriverPlan, DriverResult, PlanInput } from "../../src/drivers/driver.ts";
import { DriverError } from "../../src/drivers/errors.ts";

/** A driver whose claims take until the test says how they end; all else it does at once. */
export class SlowDriver implements Driver {
  readonly name = "docker";
  readonly #claims: PromiseWithResolvers<"succeed" | "fail">[] = [];
  readonly #tokens = new Map<string, string>();
  #begun = Promise.withResolvers<void>();

  /** Resolves once a claim has begun that has not ended. */
  get begun(): Promise<void> {
    return this.#begun.promise;
  }

  /** Ends the claim under way. */
  end(how: "succeed" | "fail"): void {
    this.#begun = Promise.withResolvers();
    this.#claims.shift()?.resolve(how);
  }

  async plan({ agentNames }: PlanInput): Promise<DriverPlan> {
    return { resources: [{ type: "machine", name: "one", agentNames }] };
  }

  /** The token that an agent of a workspace was started with. */
  tokenOf(workspaceId: string, agentName: string): string {
    const token = this.#tokens.get(`${workspaceId}/${agentName}`);
    if (token === undefined) throw new Error(`${agentName} of ${workspaceId} was not started`);
    return token;
  }

  async start(build: DriverBuild): Promise<DriverResult> {
    for (const { name, token } of build.agents) {
      this.#tokens.set(`${build.workspace.id}/${name}`, token);
    }
    const agentNames = build.agents.map(({ name }) => name);
    return { state: undefined, resources: [{ type: "machine", name: "one", agentNames }] };
  }

  async stop(): Promise<DriverResult> {
    return { state: undefined, resources: [] };
  }

  delete(): Promise<DriverResult> {
    return this.stop();
  }

  async observe(): Promise<{ readonly agents: [] }> {
    return { agents: [] };
  }

  async claim(build: DriverBuild, _log: unknown, signal: AbortSignal): Promise<DriverResult> {
    const ending = Promise.withResolvers<"succeed" | "fail">();
    this.#claims.push(ending);
    this.#begun.resolve();
    signal.addEventListener("abort", () => ending.reject(signal.reason), { once: true });
    if ((await ending.promise) === "fail") {
      throw new DriverError("unavailable", "the machine could not be handed over");
    }
    return this.start(build);
  }
}
