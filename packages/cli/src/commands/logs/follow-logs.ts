import type { WorkspaceAgent } from "@slipway/api/agents/agent";
import { type AgentLog, getAgentLogs } from "@slipway/api/agents/log-routes";
import type { WorkspaceBuild } from "@slipway/api/builds/build";
import { getBuild, getBuildLogs } from "@slipway/api/builds/routes";
import type { JobLog } from "@slipway/api/jobs/job";
import { getWorkspace } from "@slipway/api/workspaces/routes";
import { type Clock, retry, Scope } from "@slipway/runtime";
import { isRetryable } from "@slipway/sdk/http";
import { followLog } from "@slipway/sdk/stream";

import { LossNotice } from "../../command/patient-read.ts";
import { allAgents, logSource } from "../../resources/builds/agents.ts";
import { isFinal } from "../../resources/builds/follow-job.ts";
import type { Terminal } from "../../terminal/terminal.ts";
import { type LogPosition, type ReadNeeds, shownAgents, type ShownLogs } from "./read-logs.ts";

interface FollowNeeds extends ReadNeeds {
  readonly terminal: Pick<Terminal, "err">;
  readonly clock: Clock;
}

/**
 * Prints lines after `position`: the build's log until the build ends, the logs of its agents until they no longer
 * belong to the workspace. Prints each line once, even across a restart of the server.
 */
export async function followLogs(
  shown: ShownLogs,
  position: LogPosition,
  needs: FollowNeeds,
): Promise<void> {
  const { terminal, clock, signal } = needs;
  const notice = new LossNotice(terminal.err, clock);
  await using scope = new Scope(signal);
  const started = new Set<string>();
  const followAgents = (build: WorkspaceBuild): void => {
    for (const agent of shownAgents({ ...shown, build })) {
      if (started.has(agent.id)) continue;
      started.add(agent.id);
      const after = position.agents.get(agent.id) ?? 0;
      const followed = { agent, workspaceId: build.workspace_id, after };
      scope.run((ended) => followAgent(followed, { ...needs, signal: ended }, notice));
    }
  };
  followAgents(shown.build);
  scope.run(async (ended) => {
    // The agents are known once the build is done.
    followAgents(await followBuild(shown, position.build, { ...needs, signal: ended }, notice));
  });
  await scope.join();
  signal.throwIfAborted();
}

async function followBuild(
  { build, agentName }: ShownLogs,
  after: number,
  { client, clock, signal, print }: FollowNeeds,
  notice: LossNotice,
): Promise<WorkspaceBuild> {
  const params = { build: build.id };
  const read = (): Promise<WorkspaceBuild> => client.call(getBuild, { params, signal });
  const log = followLog<JobLog, typeof getBuildLogs>({
    client,
    route: getBuildLogs,
    params,
    after,
    clock,
    signal,
    ...notice.ofLog("build"),
    isComplete: async () => isFinal((await read()).job),
  });
  for await (const entry of log) {
    notice.arrived("build");
    if (agentName === undefined) print({ kind: "build", entry });
  }
  return retry(read, { clock, signal, isRetryable });
}

interface FollowedAgent {
  readonly agent: WorkspaceAgent;
  readonly workspaceId: string;
  /** The id of the last entry that was printed. */
  readonly after: number;
}

async function followAgent(
  { agent, workspaceId, after }: FollowedAgent,
  { client, clock, signal, print }: FollowNeeds,
  notice: LossNotice,
): Promise<void> {
  const log = followLog<AgentLog, typeof getAgentLogs>({
    client,
    route: getAgentLogs,
    params: { agent: agent.id },
    after,
    clock,
    signal,
    ...notice.ofLog(agent.id),
    isComplete: async () => {
      const params = { workspace: workspaceId };
      const { latest_build: latest } = await client.call(getWorkspace, { params, signal });
      return isFinal(latest.job) && allAgents(latest).every(({ id }) => id !== agent.id);
    },
  });
  for await (const entry of log) {
    notice.arrived(agent.id);
    print({ kind: "agent", agent: agent.name, source: logSource(agent, entry), entry });
  }
}
