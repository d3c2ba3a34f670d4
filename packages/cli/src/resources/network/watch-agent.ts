import { getWorkspace } from "@slipway/api/workspaces/routes";
import type { Workspace } from "@slipway/api/workspaces/workspace";
import { type Clock, Scope, withDeadline } from "@slipway/runtime";
import { isRetryable } from "@slipway/sdk/http";

import { CommandError } from "../../command/errors.ts";
import { exitCodes } from "../../command/exit-codes.ts";
import type { ClientNeeds } from "../../command/needs.ts";
import { allAgents } from "../builds/agents.ts";
import { fullName } from "../workspaces/workspace-reference.ts";
import type { OpenedAgent } from "./reach-agent.ts";

interface WatchAgentOptions {
  /** Reports that the agent does not answer. */
  readonly say: () => void;
  /** The exit code once it has been replaced (default: that of a failure). */
  readonly exitCode?: number;
}

/**
 * Watches an agent as long as the scope is open. The scope fails with `CommandError` once the agent does not answer because
 * its workspace has been stopped or restarted.
 */
export function watchAgent(
  opened: OpenedAgent,
  { say, exitCode = exitCodes.failure }: WatchAgentOptions,
  { client, clock }: Pick<ClientNeeds, "client" | "clock">,
): Scope {
  const watching = new Scope();
  watching.run((ended) => {
    const look = async (): Promise<void> => {
      if ((await replacementOf(opened, { client, signal: ended })) === undefined) return;
      const name = fullName(opened.workspace);
      throw new CommandError(`workspace ${name} has been stopped or restarted`, {
        exitCode,
        hint: "run the command again to reach it as it is now",
      });
    };
    return watchNetwork(opened.connection, { say, look, clock, signal: ended });
  });
  return watching;
}

/** The parts of the connection to an agent that the watch uses. */
interface WatchedNetwork {
  /** Resolves when the agent answers. */
  ping(signal: AbortSignal): Promise<unknown>;
  /** Looks for other paths. */
  networkChanged(): void;
}

interface WatchOptions {
  /** Reports that the agent does not answer. */
  readonly say: () => void;
  /** Checks, while the agent does not answer, whether it ever can again: an error ends the watch. */
  readonly look: () => Promise<void>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** The interval of pings while the agent answers, and the timeout of each. */
const askEveryMs = 10_000;
const answerMs = 5_000;
/** The number of consecutive unanswered pings after which the connection counts as lost. */
const maxUnanswered = 2;

/**
 * Pings the agent at an interval, and reports each loss once. Rejects with the signal's reason, and with the errors
 * of `look`.
 */
export async function watchNetwork(
  network: WatchedNetwork,
  { say, look, clock, signal }: WatchOptions,
): Promise<void> {
  let unanswered = 0;
  for (;;) {
    if (unanswered === 0) await clock.sleep(askEveryMs, signal);
    unanswered = (await answers(network, clock, signal)) ? 0 : unanswered + 1;
    if (unanswered < maxUnanswered) continue;
    await look();
    if (unanswered > maxUnanswered) continue;
    say();
    network.networkChanged();
  }
}

async function answers(
  network: WatchedNetwork,
  clock: Clock,
  signal: AbortSignal,
): Promise<boolean> {
  const beganAt = clock.monotonic();
  try {
    await withDeadline(answerMs, clock, (limit) => network.ping(AbortSignal.any([signal, limit])));
    return true;
  } catch {
    signal.throwIfAborted();
    // Without any path, a ping fails immediately.
    const restMs = answerMs - (clock.monotonic() - beganAt);
    if (restMs > 0) await clock.sleep(restMs, signal);
    return false;
  }
}

/**
 * Returns the current workspace if a newer build has replaced the agent, which then never answers again; undefined if
 * the agent may still answer, or the server is unreachable.
 */
export async function replacementOf(
  { workspace, agent }: Pick<OpenedAgent, "workspace" | "agent">,
  { client, signal }: Pick<ClientNeeds, "client" | "signal">,
): Promise<Workspace | undefined> {
  try {
    const now = await client.call(getWorkspace, { params: { workspace: workspace.id }, signal });
    return allAgents(now.latest_build).some(({ id }) => id === agent.id) ? undefined : now;
  } catch (error) {
    signal.throwIfAborted();
    if (isRetryable(error)) return undefined;
    throw error;
  }
}
