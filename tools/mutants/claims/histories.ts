import type { Mutant } from "../mutant.ts";

const suite = {
  project: "long",
  files: ["packages/simulation/tests/long/claim-histories.test.ts"],
} as const;

/** Bugs that no test looks for by name: random histories find them, as the model disagrees. */
export const histories: readonly Mutant[] = [
  {
    name: "view-of-any-build",
    breaks: "the token of an agent counts although its build is long over",
    file: "packages/server/src/features/prebuilds/reinit/queries.ts",
    find: "and (build.build_number = done.build_number or not",
    replace: "and (true or not",
    suite,
  },
  {
    name: "session-of-another-counts",
    breaks: "an old session's end counts as the end of the newest",
    file: "packages/server/src/features/agents/connection/connection-queries.ts",
    find: "a.id = ended.id and a.connection_id = ended.connection_id and",
    replace: "a.id = ended.id and",
    suite,
  },
  {
    name: "reports-after-the-end-count",
    breaks: "an agent whose build is over still reports",
    file: "packages/server/src/features/agents/rpc/lifecycle-queries.ts",
    find: "where a.id = new.id and new.is_live\n        and (a.started_at",
    replace: "where a.id = new.id\n        and (a.started_at",
    suite,
  },
  {
    name: "ready-forgets-the-start",
    breaks: "an agent that is ready was never started",
    file: "packages/server/src/features/agents/rpc/lifecycle-queries.ts",
    find: "then coalesce(a.started_at, new.changed_at)",
    replace: "then a.started_at",
    suite,
  },
  {
    name: "system-jobs-first",
    breaks: "what people want waits for the filling of pools",
    file: "packages/server/src/platform/jobs/queries.ts",
    find: ".orderBy(sql`initiator_id = ${prebuildsUserId}`)",
    replace: ".orderBy(sql`initiator_id <> ${prebuildsUserId}`)",
    suite,
  },
  {
    name: "failed-start-keeps-its-agents",
    breaks: "the agents of a start that failed are let in",
    file: "packages/server/src/features/builds/build-job.ts",
    find: "      await dropAgents(trx, context.id);\n",
    replace: "",
    suite,
  },
  {
    name: "deleted-stays",
    breaks: "a workspace stays after its deletion",
    file: "packages/server/src/features/builds/build-job.ts",
    find: 'if (context.transition === "delete") await markWorkspaceDeleted(trx, context.workspace_id);',
    replace: "",
    suite,
  },
];
