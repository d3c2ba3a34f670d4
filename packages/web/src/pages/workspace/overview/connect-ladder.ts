import type { WorkspaceAgent } from "@slipway/api/agents/agent";
import type { WorkspaceBuild } from "@slipway/api/builds/build";
import { externalAgentType } from "@slipway/template";

/** One step on the way to an agent. Those above a step that does not hold are unknown. */
export interface LadderRung {
  readonly name: string;
  readonly state: "good" | "waiting" | "bad" | "unknown";
  readonly text: string;
  /** The fix. */
  readonly fix?: string;
}

/** The server's attempt to reach the agent over the network. */
export type AgentReach =
  | { readonly kind: "unknown" }
  | { readonly kind: "reached" }
  | { readonly kind: "failed"; readonly reason: string };

interface LadderFacts {
  readonly build: Pick<WorkspaceBuild, "status" | "job" | "resources">;
  readonly agent: WorkspaceAgent;
  readonly reach: AgentReach;
  /** The address that the agent dials. */
  readonly serverUrl: string;
}

/** Returns whether people start an agent by hand. */
export function isStartedByPerson(
  { resources }: Pick<WorkspaceBuild, "resources">,
  { resource_id: place, parent_id: parent }: WorkspaceAgent,
): boolean {
  if (parent !== null) return false;
  return resources.some(({ id, type }) => id === place && type === externalAgentType);
}

type Step = Omit<LadderRung, "name">;

const unknown = { state: "unknown", text: "" } as const;

/** Returns the steps on the way to an agent, from the lowest: the first that does not hold is the reason. */
export function connectLadder(facts: LadderFacts): readonly LadderRung[] {
  const steps: readonly LadderRung[] = [
    { name: "Build", ...buildStep(facts) },
    { name: "First contact", ...contactStep(facts) },
    { name: "Connection", ...connectionStep(facts) },
    { name: "Start scripts", ...scriptStep(facts.agent) },
    { name: "Network", ...networkStep(facts.reach) },
  ];
  // A script that failed does not keep anybody from connecting.
  const stop = steps.findIndex(({ name, state }) => state !== "good" && name !== "Start scripts");
  if (stop < 0) return steps;
  const above = steps.slice(stop + 1).map(({ name }) => Object.assign({ name }, unknown));
  return [...steps.slice(0, stop + 1), ...above];
}

/** Returns the first step that does not hold. */
export function failingRung(rungs: readonly LadderRung[]): LadderRung | undefined {
  return (
    rungs.find(({ state }) => state === "bad") ?? rungs.find(({ state }) => state === "waiting")
  );
}

function buildStep({ build: { status, job } }: LadderFacts): Step {
  switch (job.status) {
    case "succeeded":
      return { state: "good", text: `The workspace is ${status}.` };
    case "failed":
      return {
        state: "bad",
        text: job.error ?? "The build failed.",
        fix: "Read the log of the build, then start the workspace again.",
      };
    case "canceled":
      return { state: "bad", text: "The build was canceled.", fix: "Start the workspace again." };
    case "pending":
    case "running":
    case "canceling":
    case "unknown":
      return { state: "waiting", text: `The build is ${job.status}.` };
  }
}

function contactStep({ build, agent, serverUrl }: LadderFacts): Step {
  if (agent.first_connected_at !== undefined) {
    return { state: "good", text: "The agent has contacted the server." };
  }
  const isExternal = isStartedByPerson(build, agent);
  const startIt = "Start the agent on its machine with the command below.";
  switch (agent.status) {
    case "disconnected":
      return {
        state: "bad",
        text: `The agent exited before it contacted the server${reasonOf(agent)}.`,
        fix: isExternal
          ? startIt
          : "Read the log of the build and of its machine, then restart the workspace.",
      };
    case "timeout":
      return {
        state: "bad",
        text: `The agent has not contacted the server within ${agent.connection_timeout_seconds} s.`,
        fix: isExternal
          ? startIt
          : `Check that its machine runs and reaches ${serverUrl}. The agent’s own output on the machine names the step that fails: DNS, TCP, TLS, HTTP or its token.`,
      };
    case "connecting":
    case "connected":
      return {
        state: "waiting",
        text: isExternal
          ? "The agent is not started yet."
          : "The agent is connecting to the server.",
        ...(isExternal ? { fix: startIt } : {}),
      };
  }
}

function connectionStep({ build, agent }: LadderFacts): Step {
  if (agent.status === "connected") return { state: "good", text: "The agent is connected." };
  const isOff = agent.lifecycle_state === "off";
  return {
    state: "bad",
    text: isOff
      ? `The agent is not running${reasonOf(agent)}.`
      : "The agent was connected, and the connection broke.",
    fix: isStartedByPerson(build, agent)
      ? "It reconnects by itself while its process runs. If it does not, start it again with the command below."
      : isOff
        ? "Restart the workspace."
        : "It reconnects by itself while its machine runs. If it does not within a minute, restart the workspace.",
  };
}

function scriptStep({ lifecycle_state: state, scripts }: WorkspaceAgent): Step {
  const failed = scripts.filter(
    ({ run_on_start: isStart, status }) => isStart && status !== undefined && status !== "ok",
  );
  const which = failed.map(({ display_name: name }) => name).join(", ");
  switch (state) {
    case "created":
    case "starting":
      return { state: "waiting", text: "The start scripts are running." };
    case "start_timeout":
      return {
        state: "bad",
        text: `A start script takes longer than its time limit${which === "" ? "" : `: ${which}`}.`,
        fix: "Check the log to see what it is waiting for. The workspace can be used in the meantime.",
      };
    case "start_error":
      return {
        state: "bad",
        text: `A start script failed${which === "" ? "" : `: ${which}`}.`,
        fix: "Read its lines in the log. The workspace can be used, but may lack what the script prepares.",
      };
    case "ready":
      return { state: "good", text: "The start scripts are done." };
    case "shutting_down":
    case "shutdown_timeout":
    case "shutdown_error":
    case "off":
      return {
        state: "bad",
        text: "The agent is shutting down.",
        fix: "Start the workspace again.",
      };
  }
}

function networkStep(reach: AgentReach): Step {
  switch (reach.kind) {
    case "unknown":
      return { state: "waiting", text: "The server is trying to reach the agent." };
    case "reached":
      return { state: "good", text: "The server reaches the agent." };
    case "failed":
      return {
        state: "bad",
        text: `The server does not reach the agent: ${reach.reason}`,
        fix: "Try again in a moment. If this persists, run “slipway ping” against the workspace, and check the relay on the Health page.",
      };
  }
}

/** Returns what the driver told of an agent's end, after a colon; empty if nothing. */
function reasonOf({ health: { reason } }: WorkspaceAgent): string {
  const detail = /^agent is not running: (.*)$/s.exec(reason ?? "")?.[1];
  return detail === undefined ? "" : `: ${detail}`;
}
