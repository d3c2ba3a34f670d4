import { setTimeout as pause } from "node:timers/promises";

import { createBuild } from "@slipway/api/workspaces/build-routes";

import type { Actor } from "./actors.ts";
import type { AgentBox } from "./agent-box.ts";
import type { Fleet } from "./fleet.ts";
import { lackOf } from "./judge.ts";
import { callOnce } from "./persistent-calls.ts";
import type { PostgresHost } from "./postgres-host.ts";
import { readWorkspaceFacts, type WorkspaceFacts } from "./workspace-facts.ts";

interface RetireOptions {
  readonly postgres: PostgresHost;
  readonly fleet: Fleet;
  readonly actors: readonly Actor[];
  readonly maxAgents: number;
}

const lookEveryMs = 1_000;

/**
 * Makes owners delete the oldest workspaces that lack nothing while there are too many, and stops the agents of deleted
 * ones, until the signal is aborted.
 */
export async function retireWorkspaces(options: RetireOptions, signal: AbortSignal): Promise<void> {
  const { postgres, fleet, maxAgents } = options;
  for (;;) {
    const facts = await readWorkspaceFacts(postgres);
    const deleted = facts.filter(({ isDeleted }) => isDeleted);
    await Promise.all(deleted.map(async ({ id }) => fleet.boxOf(id)?.retire()));
    const living = facts.flatMap((fact) => {
      const box = fleet.boxOf(fact.id);
      return box === undefined || fact.isDeleted ? [] : [{ fact, box }];
    });
    let surplus = living.length - maxAgents;
    for (const { fact, box } of living) {
      if (surplus <= 0) break;
      if (!(await hasAll(fact, box))) continue;
      surplus -= 1;
      await deleteWorkspace(fact, options.actors, signal);
    }
    await pause(lookEveryMs, undefined, { signal });
  }
}

/**
 * Reports whether a claimed workspace lacks nothing; true also while it is being deleted: then its build shows that,
 * and its agent has nothing more to report.
 */
async function hasAll(fact: WorkspaceFacts, box: AgentBox): Promise<boolean> {
  if (fact.claimedAtMs === undefined) return false;
  const { boots } = box;
  return box.isUp && lackOf(fact, await box.readPasses(), String(boots)) === undefined;
}

async function deleteWorkspace(
  { id, ownerName }: WorkspaceFacts,
  actors: readonly Actor[],
  signal: AbortSignal,
): Promise<void> {
  const owner = actors.find(({ name }) => name === ownerName);
  const params = { workspace: id };
  const body = { transition: "delete" } as const;
  try {
    await callOnce(
      async (limit) => owner?.client.call(createBuild, { params, body, signal: limit }),
      signal,
    );
  } catch {
    // The next check shows whether the request arrived; if not, it is sent again.
    signal.throwIfAborted();
  }
}
