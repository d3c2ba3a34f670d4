import type { WorkspaceAgent } from "../agents/agent.ts";
import type { WorkspaceBuild } from "../builds/build.ts";
import type { ProvisionerJob } from "../jobs/job.ts";

/** The reason for which a workspace will not become what its build makes of it. */
export type BuildProblem = "build-failed" | "build-canceled" | "agent-unavailable";

/**
 * How far a build is. `over`: it is done, and after a start all agents are connected and have run their start scripts,
 * even if some failed. `waiting` and `failed` say for what and why, in words for a person.
 */
export type Readiness =
  | { readonly kind: "over" }
  | { readonly kind: "waiting"; readonly text: string }
  | { readonly kind: "failed"; readonly problem: BuildProblem; readonly text: string };

/** Returns how far a build is. */
export function readinessOf(build: WorkspaceBuild): Readiness {
  const { job, transition, build_number } = build;
  switch (job.status) {
    case "pending":
      return waiting("waiting for a worker");
    case "running":
    case "canceling":
    case "unknown":
      return waiting(`build ${build_number} (${transition}) is running`);
    case "canceled":
      return failed("build-canceled", buildText(build, "was canceled"));
    case "failed": {
      const reason = job.error ?? "the server gave no reason";
      return failed("build-failed", buildText(build, `failed: ${reason}`));
    }
    case "succeeded":
      return transition === "start" ? readinessOfAgents(build) : { kind: "over" };
  }
}

/** Returns whether nothing more becomes of a job. */
export function isFinalJob({ status }: Pick<ProvisionerJob, "status">): boolean {
  return status === "succeeded" || status === "failed" || status === "canceled";
}

/** Returns the agents that a build created, except those of dev containers inside them. */
export function rootAgents({ resources }: Pick<WorkspaceBuild, "resources">): WorkspaceAgent[] {
  return resources.flatMap(({ agents }) => agents).filter(({ parent_id }) => parent_id === null);
}

/** Returns the names of the agents of a build whose start scripts failed or exceeded their time limit. */
export function failedStarts(build: Pick<WorkspaceBuild, "resources">): readonly string[] {
  return rootAgents(build)
    .filter(({ lifecycle_state: state }) => state === "start_error" || state === "start_timeout")
    .map(({ name }) => name);
}

function readinessOfAgents(build: WorkspaceBuild): Readiness {
  const all = rootAgents(build).map(readinessOfAgent);
  const find = (kind: Readiness["kind"]) => all.find((one) => one.kind === kind);
  return find("failed") ?? find("waiting") ?? { kind: "over" };
}

function readinessOfAgent(agent: WorkspaceAgent): Readiness {
  const { name, status, lifecycle_state, connection_timeout_seconds } = agent;
  switch (lifecycle_state) {
    case "shutting_down":
    case "shutdown_timeout":
    case "shutdown_error":
    case "off":
      return failed("agent-unavailable", `agent ${name} is shutting down`);
    case "created":
    case "starting":
    case "start_timeout":
    case "start_error":
    case "ready":
      break;
  }
  switch (status) {
    case "timeout": {
      const text = `agent ${name} has not connected within ${connection_timeout_seconds} s`;
      return failed("agent-unavailable", text);
    }
    case "connecting":
      return waiting(`waiting for agent ${name} to connect`);
    case "disconnected":
      return waiting(`waiting for agent ${name} to reconnect`);
    case "connected":
      break;
  }
  if (lifecycle_state === "created") return waiting(`agent ${name} is connected`);
  if (lifecycle_state === "starting") return waiting(`agent ${name} is running its start scripts`);
  return { kind: "over" };
}

function buildText(build: WorkspaceBuild, outcome: string): string {
  const { build_number, transition, workspace_owner_name, workspace_name } = build;
  return `build ${build_number} (${transition}) of ${workspace_owner_name}/${workspace_name} ${outcome}`;
}

function waiting(text: string): Readiness {
  return { kind: "waiting", text };
}

function failed(problem: BuildProblem, text: string): Readiness {
  return { kind: "failed", problem, text };
}
