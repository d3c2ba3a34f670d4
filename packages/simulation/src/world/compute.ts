import type { Life } from "../engine/life.ts";
import { committed, View } from "../model/view.ts";
import { AgentProcess, type AgentProcessOptions } from "./agent-process.ts";
import type { Setting } from "./setting.ts";

/** The work of a driver. */
export interface DriverWork {
  readonly workspaceId: string;
  readonly kind: "start" | "stop" | "delete" | "claim";
  /** The agents that should run. */
  readonly agents: readonly { readonly name: string; readonly token: string }[];
}

/** The time from an agent process's exit to its replacement, in milliseconds. */
const restartMs = 2_000;

/** The maximum error of a machine's clock, in milliseconds. */
const maxSkewMs = 600_000;

/** The machines on which the agents of workspaces run. Servers come and go; machines stay. */
export class Compute {
  readonly #setting: Setting;
  readonly #byToken = new Map<string, AgentProcess>();
  readonly #skews = new Map<string, number>();

  constructor(setting: Setting) {
    this.#setting = setting;
  }

  get processes(): readonly AgentProcess[] {
    return [...this.#byToken.values()];
  }

  /** Does the work with a delay; may be repeated from any point. Resolves to an error, if there is one. */
  async carryOut(worker: Life, work: DriverWork, signal: AbortSignal): Promise<string | undefined> {
    const { random, conditions } = this.#setting;
    const isPrompt = random.chance(0.8);
    const workMs = isPrompt ? random.between(50, 2_000) : random.between(2_000, 15_000);
    try {
      await worker.sleep(workMs, signal);
      const { kind, workspaceId } = work;
      // A failed stop or deletion would leave machines behind through no fault of the product.
      const mayFail = kind === "start" || kind === "claim";
      if (mayFail && conditions.strikes("build-failure", 0.25)) return "the driver failed";
      const replaces = kind === "claim" && conditions.strikes("compute-replaced", 0.5);
      if (!this.#keeps(work)) {
        if (kind !== "claim" || replaces) this.#end(workspaceId, replaces ? [] : work.agents);
        if (kind === "start" || replaces) this.#start(work);
      }
      await worker.sleep(random.between(1, 1_000), signal);
      return undefined;
    } catch {
      return "canceled";
    }
  }

  /** Crashes a process; its supervisor starts another in its place. */
  crash(process: AgentProcess): void {
    const { trace, scheduler } = this.#setting;
    trace.add(process.id, () => "crashes", process.workspaceId);
    process.end();
    scheduler.after(restartMs, () => {
      if (this.#byToken.get(process.token) === process) this.#spawn(process);
    });
  }

  /** Reports whether machines are left alone because they have waited in a pool, whatever the template now says. */
  #keeps({ kind, workspaceId }: DriverWork): boolean {
    const { profile, model } = this.#setting;
    return (
      profile.keepsCompute &&
      kind === "start" &&
      new View(model.tables, committed).wasPrebuild(workspaceId) &&
      this.processes.some((process) => process.workspaceId === workspaceId)
    );
  }

  #start({ workspaceId, agents }: DriverWork): void {
    const clockAheadMs = this.#clockAheadMs(workspaceId);
    for (const { token, name } of agents) {
      if (!this.#byToken.has(token)) this.#spawn({ workspaceId, name, token, clockAheadMs });
    }
  }

  /** Returns the clock offset of a workspace: its successive machines share one clock. */
  #clockAheadMs(workspaceId: string): number {
    const { random, profile } = this.#setting;
    const isSkewed = profile.hazards.has("clock-skew");
    const drawn = isSkewed ? random.between(-maxSkewMs, maxSkewMs) : 0;
    const aheadMs = this.#skews.get(workspaceId) ?? drawn;
    this.#skews.set(workspaceId, aheadMs);
    return aheadMs;
  }

  #end(workspaceId: string, except: DriverWork["agents"]): void {
    for (const process of this.processes) {
      const stays = except.some(({ token }) => token === process.token);
      if (process.workspaceId !== workspaceId || stays) continue;
      this.#setting.trace.add(process.id, () => "is ended by its driver", workspaceId);
      this.#byToken.delete(process.token);
      process.end();
    }
  }

  #spawn(options: AgentProcessOptions): void {
    const process = new AgentProcess(this.#setting, options);
    this.#byToken.set(options.token, process);
    process.start();
  }
}
