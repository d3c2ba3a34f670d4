import type { ChildProcess } from "node:child_process";

import type { Namespace } from "@slipway/testkit/netlab";

import { runStockAgent } from "../run-stock-agent.ts";
import { stockPrograms } from "../stock-program.ts";

/** A program that connects workspaces to the network. */
export interface AgentKind {
  readonly name: string;
  start(place: AgentPlace): Promise<ChildProcess>;
}

export interface AgentPlace {
  readonly namespace: Namespace;
  readonly serverUrl: string;
  readonly token: string;
  /** The home directory, with all its files. */
  readonly home: string;
}

/** The agents that are tested on the network. */
export const agents: readonly AgentKind[] = stockPrograms("SLIPWAY_STOCK_AGENT").map(
  ({ name, path: program }) => ({
    name,
    start: ({ namespace, ...place }) =>
      runStockAgent({ ...place, program, launcher: namespace.launcher }),
  }),
);
