import { settledMs } from "@slipway/server/claims";

import type { Tables } from "../model/tables.ts";
import { committed, jobStatus, View } from "../model/view.ts";
import { type Monitor, type ReinitReply, type ScriptRun, Violation } from "../world/monitor.ts";
import type { Profile } from "../world/profile.ts";
import { userName } from "../world/user-name.ts";

/**
 * Checks which start scripts processes run, for whom and how often: S3 to S6 of docs/protocol/prebuilds.md §7, and
 * thereby S13.
 */
export class ScriptMonitor implements Monitor {
  readonly #tables: Tables;
  readonly #view: View;
  readonly #agentKind: Profile["agentKind"];
  readonly #runs = new Map<string, ScriptRun[]>();
  /** The newest frame of each token. */
  readonly #frames = new Map<string, Frame>();

  constructor(tables: Tables, agentKind: Profile["agentKind"]) {
    this.#tables = tables;
    this.#agentKind = agentKind;
    this.#view = new View(tables, committed);
  }

  answered(reply: ReinitReply): void {
    if (reply.kind === "frame") this.#frames.set(reply.token, reply);
  }

  scriptsStarted(run: ScriptRun): void {
    const earlier = this.#runs.get(run.processId) ?? [];
    this.#runs.set(run.processId, [...earlier, run]);
    this.#checkBuild(run);
    this.#checkRepetition(run, earlier);
  }

  /** Checks that the agent row of the process names the owner already. */
  #checkBuild({ processId, agentId, ownerName, workspaceId }: ScriptRun): void {
    const agent = this.#tables.agents.get(agentId);
    const build = agent && this.#tables.builds.get(agent.buildId);
    if (agent === undefined || build === undefined) return;
    const isOwners = userName(build.ownerId) === ownerName;
    if (isOwners && (!agent.tookOver || jobStatus(build) === "succeeded")) return;
    throw new Violation(
      "S3",
      `${processId} runs start scripts for ${ownerName} as ${agentId}, whose build ${build.id} is for ` +
        `${userName(build.ownerId)} and ${jobStatus(build)}`,
      workspaceId,
    );
  }

  #checkRepetition(run: ScriptRun, earlier: readonly ScriptRun[]): void {
    const { processId, ownerName, agentId, workspaceId } = run;
    const [first] = earlier;
    if (first === undefined) return;
    const fail = (invariant: string, what: string): never => {
      throw new Violation(invariant, `${processId} runs start scripts ${what}`, workspaceId);
    };
    if (!this.#view.wasPrebuild(workspaceId)) fail("S6", "again but never was a prebuild");
    if (first.ownerName === ownerName) {
      if (this.#isUnknowable(run, earlier)) return;
      fail("S5", `again for ${ownerName}, for whom it started`);
    }
    if (earlier.some((other) => other.ownerName === ownerName))
      fail("S4", `twice for ${ownerName}`);
    if (earlier.some((other) => other.agentId === agentId)) fail("S4", `twice as ${agentId}`);
  }

  /**
   * Reports whether no server can tell that a stock agent has already started (docs/claims.md): a process that asked
   * before the claim and had not begun a life, or whose report of one took more than `settledMs`, looks like one that
   * waits, and starts over once.
   */
  #isUnknowable({ token }: ScriptRun, earlier: readonly ScriptRun[]): boolean {
    const frame = this.#frames.get(token);
    if (this.#agentKind !== "frames" || earlier.length > 1 || frame === undefined) return false;
    return frame.isOlderThanClaim || frame.ageMs >= settledMs;
  }
}

type Frame = Extract<ReinitReply, { kind: "frame" }>;
