import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import { stockPrograms } from "../../interop/support/stock-program.ts";
import type { Findings } from "../findings.ts";
import { measureCall, type ReachCommand } from "./network-commands.ts";
import { connectedAgent, type NetworkWorld, openNetworkWorld } from "./network-world.ts";

/** The launcher that npm links to, beside the program that it starts. */
const launcher = join(
  dirname(fileURLToPath(import.meta.resolve("@slipway/cli/program"))),
  "slipway",
);
const runs = 20;

/** A command and the workspace of the agent that it comes with. */
interface CommandPair {
  readonly command: ReachCommand;
  readonly workspace: string;
}

/**
 * Measures whole calls of commands on a server of ours: the one that npm installs, those of SLIPWAY_INSTALLED_COMMAND,
 * and the stock command with a stock agent. One call of each fills its cache first; then they take turns.
 */
export async function noteCommandStarts(
  opened: AsyncDisposableStack,
  findings: Findings,
): Promise<void> {
  const pairs = await openPairs(await openNetworkWorld(opened));
  const calls = pairs.flatMap(({ command, workspace }) => [
    { name: `${command.name}: list`, command, args: ["list"] },
    { name: `${command.name}: ssh -- true`, command, args: ["ssh", workspace, "--", "true"] },
  ]);
  for (const { command, args } of calls) await measureCall(command, args);
  for (let run = 0; run < runs; run += 1) {
    for (const { name, command, args } of calls) {
      findings.note(name, "ms", await measureCall(command, args));
    }
  }
}

async function openPairs(world: NetworkWorld): Promise<readonly CommandPair[]> {
  const { workspace } = await openReachedAgent(world, "ours", undefined);
  const installed = [
    { name: "npm", path: launcher },
    ...stockPrograms("SLIPWAY_INSTALLED_COMMAND").map(({ path }) => ({ name: path, path })),
  ];
  const pairs: CommandPair[] = [];
  for (const [index, { name, path }] of installed.entries()) {
    const command = await world.openCommand(`ours-${index}`, path);
    pairs.push({ command: { ...command, name: `ours, ${name}` }, workspace });
  }
  const [agent] = stockPrograms("SLIPWAY_STOCK_AGENT");
  const [stock] = stockPrograms("SLIPWAY_STOCK_COMMAND");
  if (agent === undefined || stock === undefined) return pairs;
  const stockWorkspace = await openReachedAgent(world, "stock", agent.path);
  const command = await world.openCommand("stock", stock.path);
  return [...pairs, { command, workspace: stockWorkspace.workspace }];
}

async function openReachedAgent(
  world: NetworkWorld,
  name: string,
  program: string | undefined,
): Promise<{ readonly workspace: string }> {
  const opened = await world.openAgent(name, program);
  await connectedAgent(world.client, opened.workspaceId);
  return opened;
}
