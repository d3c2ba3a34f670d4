import { setImmediate } from "node:timers/promises";

import type { WorkspaceAgent } from "@slipway/api/agents/agent";
import { getConnection } from "@slipway/api/agents/connection-routes";
import { reportWorkspaceUsage } from "@slipway/api/workspaces/routes";
import type { Workspace } from "@slipway/api/workspaces/workspace";
import { abortable, type Logger, Scope, silentLogger } from "@slipway/runtime";
import type * as Network from "@slipway/sdk/workspace";

import { CommandError } from "../../command/errors.ts";
import type { ClientNeeds } from "../../command/needs.ts";
import { Progress } from "../../terminal/progress.ts";
import { fullName } from "../workspaces/workspace-reference.ts";
import { type AgentReference, chooseAgent } from "./agent-reference.ts";
import { growHeapLater } from "./grow-heap.ts";
import { runningWorkspace } from "./running-workspace.ts";
import { type ScriptWait, waitForAgent } from "./wait-for-agent.ts";

export interface ReachOptions {
  /** True to start a stopped workspace. */
  readonly autostart: boolean;
  readonly wait: ScriptWait;
  /** True to use relays only. */
  readonly disableDirect: boolean;
  /** True to report that the workspace is in use, as long as the connection is open. */
  readonly isUsage: boolean;
  /** Receives the packets of both directions, as views that are valid during the call. */
  readonly onPackets?: ((packets: readonly Uint8Array[]) => void) | undefined;
  /** The log of the network. */
  readonly logger: Logger;
}

/** An agent and the connection to it. Its opener disposes of it. */
export interface OpenedAgent extends AsyncDisposable {
  readonly workspace: Workspace;
  readonly agent: WorkspaceAgent;
  readonly connection: Network.WorkspaceConnection;
}

/**
 * Finds an agent, starts its workspace if necessary, and joins the encrypted network; `reachAgent` waits for the
 * agent's answer. Throws `CommandError`, and the errors of the requests.
 */
export async function openAgent(
  reference: AgentReference,
  { autostart, wait, disableDirect, isUsage, onPackets, logger }: ReachOptions,
  needs: ClientNeeds,
): Promise<OpenedAgent> {
  const { client, clock, signal } = needs;
  await using opening = new AsyncDisposableStack();
  const failed = new AbortController();
  opening.defer(() => failed.abort());
  const finding = runningWorkspace(reference.workspace, { autostart }, needs);
  // The network's settings are the same for all agents, and its code loads while the server answers; a failure of either
  // surfaces where the network is used.
  const settings = client.call(getConnection, {
    signal: AbortSignal.any([signal, failed.signal]),
  });
  const loading = loadNetwork();
  for (const early of [settings, loading]) early.catch(() => undefined);
  const workspace = await finding;
  const agent = chooseAgent(workspace, reference.agent);
  await waitForAgent(workspace, agent, wait, needs);
  const { connectWorkspace } = await loading;
  const connection = opening.use(
    await connectWorkspace({
      client,
      agentId: agent.id,
      settings,
      disableDirect,
      onPackets,
      clock,
      logger,
      signal,
    }),
  );
  if (isUsage) {
    opening
      .use(new Scope())
      .run((ended) => reportUsage(workspace.id, { client, clock, signal: ended }));
  }
  const opened = opening.move();
  return { workspace, agent, connection, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}

/**
 * Opens an agent to measure the network to it: a stopped workspace stays stopped, and counts as unused. Throws the
 * errors of `openAgent` and `reachAgent`.
 */
export async function openMeasuredAgent(
  reference: AgentReference,
  { disableDirect, onPackets }: Pick<ReachOptions, "disableDirect" | "onPackets">,
  needs: ClientNeeds,
): Promise<OpenedAgent> {
  await using opening = new AsyncDisposableStack();
  const options = {
    autostart: false,
    wait: "no",
    disableDirect,
    isUsage: false,
    onPackets,
    logger: silentLogger,
  } as const;
  const opened = opening.use(await openAgent(reference, options, needs));
  await reachAgent(opened, needs);
  opening.move();
  return opened;
}

async function loadNetwork(): Promise<typeof Network> {
  await begunConnections();
  growHeapLater();
  const network = await import("@slipway/sdk/workspace");
  await network.loadNativeCrypto();
  return network;
}

/** Waits until the agent answers over the network. Throws a `CommandError` that names the failed rung. */
export async function reachAgent(
  { workspace, agent, connection }: OpenedAgent,
  { terminal, clock, signal }: Pick<ClientNeeds, "terminal" | "clock" | "signal">,
): Promise<void> {
  using progress = new Progress(terminal.err, clock);
  const name = `${fullName(workspace)}.${agent.name}`;
  progress.waitFor(`connecting to ${name}`);
  const { NetworkError } = await import("@slipway/sdk/workspace");
  try {
    await abortable(connection.reach(signal), signal);
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof NetworkError)) throw error;
    throw new CommandError(`cannot reach ${name} (${rungNames[error.rung]}): ${error.message}`, {
      hint: hintOf(error.rung, fullName(workspace)),
    });
  }
}

const rungNames: Readonly<Record<Network.NetworkRung, string>> = {
  coordinator: "server's coordinator",
  relay: "relay",
  agent: "agent's place in the network",
  handshake: "agent's answer",
};

function hintOf(rung: Network.NetworkRung, name: string): string {
  switch (rung) {
    case "coordinator":
      return "check that proxies on the way to the server let WebSockets through";
    case "relay":
      return "see which relays answer with: slipway netcheck";
    case "agent":
      return `see the agent's state with: slipway show ${name}`;
    case "handshake":
      return `try again; if it lasts, restart the workspace with: slipway restart ${name}`;
  }
}

/**
 * The number of turns of the event loop within which the current one ends, a connection opens, and its first bytes
 * are written.
 */
const turns = 3;

/**
 * Waits until connections to this machine or a nearby one, begun in this turn of the event loop, have sent their first bytes.
 * Loading modules then blocks the loop only while the answers are on their way.
 */
export async function begunConnections(): Promise<void> {
  for (let turn = 0; turn < turns; turn += 1) await setImmediate();
}

/** The interval of reports, in milliseconds (docs/protocol/clients.md §1.1, usage). */
const intervalMs = 60_000;

/** Reports that a workspace is in use, now and every minute, until the signal is aborted. Never rejects. */
async function reportUsage(
  workspace: string,
  { client, clock, signal }: Pick<ClientNeeds, "client" | "clock" | "signal">,
): Promise<void> {
  while (!signal.aborted) {
    try {
      await client.call(reportWorkspaceUsage, { params: { workspace }, signal });
    } catch {
      // The command continues without it; the next report may succeed.
    }
    await clock.sleep(intervalMs, signal).catch(() => undefined);
  }
}
