import type { ChildProcess } from "node:child_process";

import { startAgentProcess } from "@slipway/testkit";

import { runStockAgent } from "../run-stock-agent.ts";
import { stockPrograms } from "../stock-program.ts";

export interface AgentPlace {
  readonly serverUrl: string;
  readonly token: string;
  /** The home directory, which holds all its files. */
  readonly home: string;
  /** Additional variables. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** A program that connects a workspace to the network. */
export interface AgentKind {
  readonly name: string;
  start(place: AgentPlace): Promise<ChildProcess>;
}

const ourAgent: AgentKind = { name: "our agent", start: (place) => startAgentProcess(place) };

/** Our agent, and those that SLIPWAY_STOCK_AGENT names. */
export const agents: readonly AgentKind[] = [
  ourAgent,
  ...stockPrograms("SLIPWAY_STOCK_AGENT").map(({ name, path: program }) => ({
    name: `the agent ${name}`,
    start: (place: AgentPlace) => runStockAgent({ ...place, program }),
  })),
];
