import { setTimeout as pause } from "node:timers/promises";

import { getAgentLogs } from "@slipway/api/agents/log-routes";
import { watchAgentMetadata } from "@slipway/api/agents/metadata-routes";
import { listTemplates } from "@slipway/api/templates/routes";
import { createBuild, listBuilds } from "@slipway/api/workspaces/build-routes";
import { getWorkspace, listWorkspaces } from "@slipway/api/workspaces/routes";
import { errorText } from "@slipway/runtime";
import type { ApiClient } from "@slipway/sdk/http";
import { Agent } from "@slipway/wire/protobuf/gen/agent_pb";

import { connectExternalAgent, type ExternalAgent } from "../processes/external-agent.ts";
import { requireAgent, waitForWorkspace } from "../processes/workspace-life.ts";

/** The pause between two requests, for a few hundred a minute, like a few users at work. */
const pauseMs = 150;
/** The number of rounds after which the workspace is stopped and started. */
const roundsPerRestart = 20;

/** A recorder of the bystander's results. */
export interface BystanderNotes {
  /** Records the duration in milliseconds of a successful request. */
  took(ms: number): void;
  failed(text: string): void;
}

/**
 * Does honest work that the attacks must not hinder: reads lists, a workspace, its logs and its metadata, and stops
 * and starts it. Every request must succeed, and the agent must stay connected.
 */
export async function work(
  client: ApiClient,
  id: string,
  notes: BystanderNotes,
  signal: AbortSignal,
): Promise<void> {
  const timed = async <T>(what: string, request: () => Promise<T>): Promise<T | undefined> => {
    await pause(pauseMs, undefined, { signal });
    const began = performance.now();
    try {
      const answer = await request();
      notes.took(performance.now() - began);
      return answer;
    } catch (error) {
      if (!signal.aborted) notes.failed(`the bystander's ${what} failed: ${errorText(error)}`);
      return undefined;
    }
  };
  const params = { workspace: id };
  const build = async (transition: "start" | "stop"): Promise<void> => {
    await timed(transition, () => client.call(createBuild, { params, body: { transition } }));
    await waitForWorkspace(client, id, ({ latest_build: { job } }) => {
      return job.completed_at !== undefined;
    });
  };
  while (!signal.aborted) {
    await using agent = (await connectExternalAgent(client, id, "main")).connection;
    for (let round = 0; round < roundsPerRestart; round += 1) {
      await report(agent, round, signal).catch((error: unknown) => {
        if (!signal.aborted) notes.failed(`a report of the bystander's agent: ${errorText(error)}`);
      });
      const shown = await timed("show", () => client.call(getWorkspace, { params }));
      if (shown === undefined) continue;
      const { id: agentId, status } = requireAgent(shown);
      if (status !== "connected") notes.failed(`the bystander's agent was shown as ${status}`);
      const ofAgent = { params: { agent: agentId } };
      const metadata = client.url(watchAgentMetadata, ofAgent);
      await timed("list", () => client.call(listWorkspaces, { query: { q: "owner:me" } }));
      await timed("logs", () => client.call(getAgentLogs, { ...ofAgent, query: {} }));
      await timed("metadata", () => readFirstEvent(metadata, client.headers));
      await timed("templates", () => client.call(listTemplates));
      await timed("builds", () => client.call(listBuilds, { params }));
    }
    await build("stop");
    await build("start");
  }
}

/** Reports as the bystander's agent in the meantime. */
async function report(
  agent: ExternalAgent["connection"],
  round: number,
  signal: AbortSignal,
): Promise<void> {
  const output = `round ${round}`;
  await agent.unary(Agent.method.batchCreateLogs, { logs: [{ output }] }, signal);
  const metadata = [{ key: "cpu", result: { value: output } }];
  await agent.unary(Agent.method.batchUpdateMetadata, { metadata }, signal);
}

/** Reads the first event of a stream and closes it. */
async function readFirstEvent(
  url: string,
  headers: Readonly<Record<string, string>>,
): Promise<void> {
  const left = new AbortController();
  const response = await fetch(url, { headers, signal: left.signal });
  if (response.status !== 200) throw new Error(`unexpected status ${response.status}`);
  await response.body?.getReader().read();
  left.abort();
}
