import type { WorkspaceAgent } from "@slipway/api/agents/agent";
import { type AgentLog, getAgentLogs } from "@slipway/api/agents/log-routes";
import { getAgent } from "@slipway/api/agents/routes";
import { printableLine } from "@slipway/runtime";
import { isRetryable } from "@slipway/sdk/http";
import { followLog } from "@slipway/sdk/stream";

import { CommandError } from "../../command/errors.ts";
import type { ClientNeeds } from "../../command/needs.ts";
import { type LossNotice, readPatiently } from "../../command/patient-read.ts";
import type { Progress } from "../../terminal/progress.ts";
import { logSource } from "./agents.ts";
import { levelText, linesOf } from "./log-text.ts";

/** The polling interval for a starting agent, in milliseconds. */
const pollMs = 500;

/** The display of a start, and the notice of lost connections. */
interface StartOutput {
  readonly progress: Progress;
  readonly notice: LossNotice;
}

/**
 * Shows an agent's log until its start is over, successful or not; resolves with the agent's state then. Throws
 * `CommandError` if the agent does not connect in time, or shuts down.
 */
export async function followUntilStarted(
  agent: WorkspaceAgent,
  needs: ClientNeeds,
  output: StartOutput,
): Promise<WorkspaceAgent> {
  const log = new AgentStartLog(agent, needs, output.progress);
  const stop = new AbortController();
  const following = log.follow(AbortSignal.any([needs.signal, stop.signal]), output.notice);
  // Awaited below; until then a rejection must not count as unhandled.
  following.catch(() => undefined);
  try {
    const started = await pollAgent(agent, currentWait, needs, output);
    stop.abort();
    await following.catch((error: unknown) => {
      if (!stop.signal.aborted || needs.signal.aborted) throw error;
    });
    await log.rest(started, output.notice);
    return started;
  } finally {
    stop.abort();
  }
}

/** Polls an agent until `waitOf` has nothing left to wait for; resolves with the agent's state then. */
export async function pollAgent(
  { id }: WorkspaceAgent,
  waitOf: (agent: WorkspaceAgent) => string | undefined,
  { client, clock, signal }: ClientNeeds,
  { progress, notice }: StartOutput,
): Promise<WorkspaceAgent> {
  for (;;) {
    try {
      const agent = await client.call(getAgent, { params: { agent: id }, signal });
      notice.arrived(id);
      const wait = waitOf(agent);
      if (wait === undefined) return agent;
      progress.waitFor(wait);
    } catch (error) {
      signal.throwIfAborted();
      if (!isRetryable(error)) throw error;
      notice.lost(id, error);
    }
    await clock.sleep(pollMs, signal);
  }
}

/** Returns what a starting agent is waiting for, or undefined when its start is over. */
export function currentWait(agent: WorkspaceAgent): string | undefined {
  const wait = connectionWait(agent);
  if (wait !== undefined) return wait;
  const { name, lifecycle_state } = agent;
  if (lifecycle_state === "created") return `agent ${name} is connected`;
  return lifecycle_state === "starting" ? `agent ${name} is running its start scripts` : undefined;
}

/**
 * Returns what a disconnected agent is waiting for, or undefined. Throws `CommandError` if it has not connected in
 * time, or shuts down.
 */
export function connectionWait(agent: WorkspaceAgent): string | undefined {
  const { name, status, lifecycle_state, connection_timeout_seconds, troubleshooting_url } = agent;
  switch (lifecycle_state) {
    case "off":
      if (status !== "connected") throw endedError(agent);
      throw new CommandError(`agent ${name} is shutting down`);
    case "shutting_down":
    case "shutdown_timeout":
    case "shutdown_error":
      throw new CommandError(`agent ${name} is shutting down`);
    case "created":
    case "starting":
    case "start_timeout":
    case "start_error":
    case "ready":
      break;
  }
  switch (status) {
    case "timeout": {
      const help = troubleshooting_url === "" ? "" : `; help: ${troubleshooting_url}`;
      throw new CommandError(
        `agent ${name} has not connected within ${connection_timeout_seconds} s${help}`,
      );
    }
    case "connecting":
      return `waiting for agent ${name} to connect`;
    case "disconnected":
      return `waiting for agent ${name} to reconnect`;
    case "connected":
      return undefined;
  }
}

/** Returns the error for an agent that is not running, with the reason if the server knows it. */
function endedError({ name, health }: WorkspaceAgent): CommandError {
  const reason = (health.reason ?? "").replace(/^agent is not running(?:: )?/, "");
  return new CommandError(
    `agent ${name} is not running${reason === "" ? "" : `: ${printableLine(reason)}`}`,
    { hint: "its log may say why; start it again with: slipway restart" },
  );
}

/** The log of one agent, which tracks the lines already shown. */
class AgentStartLog {
  readonly #needs: ClientNeeds;
  readonly #progress: Progress;
  #agent: WorkspaceAgent;
  #lastId = 0;

  constructor(agent: WorkspaceAgent, needs: ClientNeeds, progress: Progress) {
    this.#agent = agent;
    this.#needs = needs;
    this.#progress = progress;
  }

  async follow(signal: AbortSignal, notice: LossNotice): Promise<void> {
    const { client, clock } = this.#needs;
    const stream = `log of ${this.#agent.id}`;
    const log = followLog<AgentLog, typeof getAgentLogs>({
      client,
      route: getAgentLogs,
      params: { agent: this.#agent.id },
      clock,
      signal,
      ...notice.ofLog(stream),
    });
    for await (const entry of log) {
      notice.arrived(stream);
      this.#show(entry);
    }
  }

  /** Shows lines that were written before the start was over and have not arrived yet. */
  async rest(agent: WorkspaceAgent, notice: LossNotice): Promise<void> {
    const { client, signal } = this.#needs;
    this.#agent = agent;
    const params = { agent: agent.id };
    const query = this.#lastId === 0 ? {} : { after: String(this.#lastId) };
    const entries = await readPatiently(
      () => client.call(getAgentLogs, { params, query, signal }),
      this.#needs,
      notice,
    );
    for (const entry of entries) this.#show(entry);
  }

  #show(entry: AgentLog): void {
    this.#lastId = entry.id;
    const { colors } = this.#needs.terminal.err;
    const prefix = `    [${printableLine(logSource(this.#agent, entry))}]`;
    for (const line of linesOf(entry)) {
      this.#progress.line(levelText(`${prefix} ${line}`, entry.level, colors));
    }
  }
}
