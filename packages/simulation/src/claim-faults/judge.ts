import { prebuildsUsername } from "@slipway/api/prebuilds/prebuild";

import type { Pass } from "./pass.ts";
import type { WorkspaceFacts } from "./workspace-facts.ts";

/**
 * The valid lines of one life of an agent's process. It runs its scripts for the system user and then for the
 * claimer, or only for the latter. A claim at the very start may end a start script before it writes its line.
 */
const lawfulLives = /^(start:prebuilds )?(stop:prebuilds )?(start:claimer )?(stop:claimer )?$/;
/** A process that starts again for another owner without its stop scripts. */
const skippedStop = /start:prebuilds start:claimer/;

/** Lists the violations of the safety rules: S1, S3 to S5 and S7 of docs/protocol/prebuilds.md §7. */
export function violationsOf(facts: WorkspaceFacts, passes: readonly Pass[]): readonly string[] {
  const { claimers, claimedAtMs, errors } = facts;
  const [claimer] = claimers;
  const found = errors.map((error) => `a build failed: ${error}`);
  if (claimers.length > 1) found.push(`claimed by ${claimers.join(" and ")}`);
  for (const [boot, life] of Map.groupBy(passes, (pass) => pass.boot)) {
    const text = life.map((pass) => `${pass.stage}:${roleOf(pass, claimer)} `).join("");
    if (!lawfulLives.test(text) || skippedStop.test(text)) {
      const lines = life.map(({ stage, owner }) => `${stage} for ${owner}`);
      found.push(`process ${boot} ran ${lines.join(", ")}`);
    }
  }
  const early = passes.find(
    ({ owner, atMs }) => owner === claimer && atMs < Math.floor(claimedAtMs ?? 0),
  );
  if (early !== undefined) found.push(`process ${early.boot} ran for ${early.owner} too early`);
  return found.map((what) => `workspace ${facts.name} (${facts.id}): ${what}`);
}

function roleOf({ owner }: Pass, claimer: string | undefined): string {
  if (owner === prebuildsUsername) return "prebuilds";
  return owner === claimer ? "claimer" : `${owner}, who is a stranger`;
}

/**
 * Returns one thing that a claimed workspace still lacks, where `boot` is the running life of its process; undefined
 * when it lacks nothing or was never claimed.
 */
export function lackOf(
  facts: WorkspaceFacts,
  passes: readonly Pass[],
  boot: string,
): string | undefined {
  const { claimedAtMs, claimers, isOwed, isDeleted, lifecycle } = facts;
  if (claimedAtMs === undefined || isDeleted) return undefined;
  const count = passes.filter(
    (pass) => pass.boot === boot && pass.stage === "start" && claimers.includes(pass.owner),
  ).length;
  const lacks = [
    ...(isOwed ? ["a reinit is owed"] : []),
    ...(lifecycle === "ready" ? [] : [`its agent is ${lifecycle ?? "absent"}`]),
    ...(count === 1 ? [] : [`process ${boot} started ${count} times for its owner`]),
  ];
  if (lacks.length === 0) return undefined;
  return `workspace ${facts.name} (${facts.id}): ${lacks.join(", ")}`;
}

/** Returns the time from the claim to the first start script for its owner; undefined if either is missing. */
export function latencyOf(facts: WorkspaceFacts, passes: readonly Pass[]): number | undefined {
  const first = passes.find(
    ({ stage, owner }) => stage === "start" && facts.claimers.includes(owner),
  );
  if (first === undefined || facts.claimedAtMs === undefined) return undefined;
  return first.atMs - facts.claimedAtMs;
}
