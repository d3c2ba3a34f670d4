import type { ClaimWorld } from "./claim-world.ts";
import type { Findings } from "./findings.ts";
import { readProcessCost } from "./process-cost.ts";

/** The parts of a world of claims that share the machine's processors. */
type Part = "the server" | "PostgreSQL" | "the agents" | "the requests";

/** Runs `work`, and notes the processor time of each part for each of as many claims. */
export async function noteCosts<T>(
  world: ClaimWorld,
  {
    name,
    claims,
    findings,
  }: { readonly name: string; readonly claims: number; readonly findings: Findings },
  work: () => Promise<T>,
): Promise<T> {
  const before = readCpuSeconds(world);
  const result = await work();
  const after = readCpuSeconds(world);
  for (const [part, seconds] of after) {
    const usedMs = (seconds - (before.get(part) ?? 0)) * 1000;
    findings.note(`${name}: processor of ${part}, a claim`, "ms, processor", usedMs / claims);
  }
  return result;
}

function readCpuSeconds({ serverPid, database, fleets }: ClaimWorld): ReadonlyMap<Part, number> {
  const agents = fleets.map(({ pid }) => readProcessCost(pid).cpuSeconds);
  const { user, system } = process.cpuUsage();
  return new Map([
    ["the server", readProcessCost(serverPid).cpuSeconds],
    ["PostgreSQL", database.cpuSeconds()],
    ["the agents", agents.reduce((sum, seconds) => sum + seconds, 0)],
    ["the requests", (user + system) / 1e6],
  ]);
}
