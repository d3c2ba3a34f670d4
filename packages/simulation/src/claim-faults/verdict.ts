import type { AcknowledgedWorkspace } from "./claims.ts";
import type { Fleet } from "./fleet.ts";
import { lackOf, latencyOf, violationsOf } from "./judge.ts";
import type { Latency } from "./options.ts";
import type { PostgresHost } from "./postgres-host.ts";
import { readWorkspaceFacts, type WorkspaceFacts } from "./workspace-facts.ts";

/** The combined state of all workspaces. */
export interface Verdict {
  /** The violations of rules that must always hold. */
  readonly violations: readonly string[];
  /** The facts that are still missing. */
  readonly lacks: readonly string[];
  readonly latencies: readonly Latency[];
}

/** Judges every workspace by the database and the lines of its agent's scripts. */
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

/** Checks that users own every workspace that was reported to them as theirs, and no other. */
export function compareOwnership(
  acknowledged: readonly AcknowledgedWorkspace[],
  facts: readonly WorkspaceFacts[],
): readonly string[] {
  const told = new Set(acknowledged.map(keyOf));
  const had = new Set(facts.filter(({ claimers }) => claimers.length > 0).map(keyOf));
  return [
    ...[...told.difference(had)].map((key) => `acknowledged, but not so: ${key}`),
    ...[...had.difference(told)].map((key) => `unreported ownership: ${key}`),
    ...(told.size === acknowledged.length ? [] : ["a workspace was acknowledged twice"]),
  ];
}

function keyOf({ id, name, ownerName }: AcknowledgedWorkspace): string {
  return `workspace ${name} of ${ownerName} (${id})`;
}
