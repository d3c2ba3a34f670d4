import { externalAgentType } from "@slipway/template";

import type { DriverBuild } from "../driver-build.ts";
import type {
  DriverLog,
  Driver,
  DriverPlan,
  DriverResource,
  DriverResult,
  ObserveInput,
  PlanInput,
  WorkspaceObservation,
} from "../driver.ts";

const stages = { start: "Waiting for agents", end: "Releasing agents" } as const;

/**
 * Runs agents that people start by hand, anywhere, with the command from the credentials route. The driver touches
 * nothing: its agents appear when someone starts them, are refused while the workspace is stopped, and keep their
 * tokens.
 */
export class ExternalDriver implements Driver {
  readonly name = "external";

  async plan({ agents }: PlanInput): Promise<DriverPlan> {
    return { resources: resourcesOf(agents.map((agent) => agent.name)) };
  }

  async start(build: DriverBuild, log: DriverLog): Promise<DriverResult> {
    for (const agent of build.agents) {
      log.write(
        "info",
        stages.start,
        `agent ${agent.name} connects if it is still running; to start it, run the command shown by: slipway show ${build.workspace.name}`,
      );
    }
    return { state: undefined, resources: resourcesOf(build.agents.map((agent) => agent.name)) };
  }

  async stop(build: DriverBuild, log: DriverLog): Promise<DriverResult> {
    for (const agent of build.agents) {
      log.write(
        "info",
        stages.end,
        build.transition === "delete"
          ? `agent ${agent.name} may keep running, but can no longer connect`
          : `agent ${agent.name} runs its stop scripts, and waits for the next start`,
      );
    }
    return { state: undefined, resources: [] };
  }

  async delete(build: DriverBuild, log: DriverLog): Promise<DriverResult> {
    return this.stop(build, log);
  }

  /** Reports every agent as absent: only its connection shows whether its process runs. */
  async observe({ agents }: ObserveInput): Promise<WorkspaceObservation> {
    return { agents: agents.map(({ id }) => ({ id, status: "absent" })) };
  }
}

function resourcesOf(agentNames: readonly string[]): readonly DriverResource[] {
  return agentNames.map((name) => ({ type: externalAgentType, name, agentNames: [name] }));
}
