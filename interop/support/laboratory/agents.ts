import type { ChildProcess } from "node:child_process";

import { startAgentProcess } from "@slipway/testkit";
import type { Namespace } from "@slipway/testkit/netlab";

import { runStockAgent } from "../run-stock-agent.ts";
import { stockPrograms } from "../stock-program.ts";

/** A program that connects workspaces to the network. */
export interface AgentKind {
  readonly name: string;
  readonly isOurs: boolean;
  start(place: AgentPlace): Promise<ChildProcess>;
}

export interface AgentPlace {
  readonly namespace: Namespace;
  readonly serverUrl: string;
  readonly token: string;
  /** The home directory, which holds all its files. */
  readonly home: string;
}

const ours: AgentKind = {
  name: "ours",
  isOurs: true,
  start: ({ namespace, ...place }) => startAgentProcess(place, namespace.launcher),
};

const stock = stockPrograms("SLIPWAY_STOCK_AGENT").map(({ name, path: program }): AgentKind => ({
  name,
  isOurs: false,
  start: ({ namespace, ...place }) =>
    runStockAgent({ ...place, program, launcher: namespace.launcher }),
}));

/** The agents that are tested on the network. */
export const agents: readonly AgentKind[] = [ours, ...stock];
