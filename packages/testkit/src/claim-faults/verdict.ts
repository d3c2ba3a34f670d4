import type { Acknowledged } from "./claims.ts";
import type { Fleet } from "./fleet.ts";
import { lackOf, latencyOf, violationsOf } from "./judge.ts";
import type { Latency } from "./options.ts";
import type { PostgresHost } from "./postgres-host.ts";
import { readWorkspaceFacts, type WorkspaceFacts } from "./workspace-facts.ts";

/** How all workspaces stand together. */
export interface Verdict {
  /** What must never be. */
  readonly violations: readonly string[];
  /** What has yet to come. */
  readonly lacks: readonly string[];
  readonly latencies: readonly Latency[];
}

/** Judges every workspace by the database, and by what the scripts of its agent have left. */
export async function reachVerdict(postgres: PostgresHost, fleet: Fleet): Promise<Verdict> {
  const facts = await readWorkspaceFacts(postgres);
  const judged = await Promise.all(
    facts.map(async (fact) => {
      const box = fleet.boxOf(fact.id);
      const passes = (await box?.readPasses()) ?? [];
      return {
        violations: violationsOf(fact, passes),
        lack: lackOf(fact, passes, String(box?.boots ?? 0)),
        latency: { workspaceId: fact.id, ms: latencyOf(fact, passes) },
      };
    }),
  );
  return {
    violations: judged.flatMap(({ violations }) => violations),
    lacks: judged.flatMap(({ lack }) => lack ?? []),
    latencies: judged.flatMap(({ latency: { workspaceId, ms } }) =>
      ms === undefined ? [] : [{ workspaceId, ms }],
    ),
  };
}

/** Every workspace that somebody was told is his is his, and nobody has one of which he was not told. */
export function compareOwnership(
  acknowledged: readonly Acknowledged[],
  facts: readonly WorkspaceFacts[],
): readonly string[] {
  const told = new Set(acknowledged.map(keyOf));
  const had = new Set(facts.filter(({ claimers }) => claimers.length > 0).map(keyOf));
  return [
    ...[...told.difference(had)].map((key) => `acknowledged, but not so: ${key}`),
    ...[...had.difference(told)].map((key) => `nobody was told of: ${key}`),
    ...(told.size === acknowledged.length ? [] : ["a workspace was acknowledged twice"]),
  ];
}

function keyOf({ id, name, ownerName }: Acknowledged): string {
  return `workspace ${name} of ${ownerName} (${id})`;
}
