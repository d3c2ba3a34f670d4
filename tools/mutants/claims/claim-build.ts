import type { Mutant } from "../mutant.ts";

const builds = "packages/server/src/features/builds";
const create = "packages/server/src/features/workspaces/create";
const suite = { project: "db", files: ["packages/server/tests/claim-build.test.ts"] } as const;

/** Bugs in the build that hands a prebuild over. */
export const claimBuild: readonly Mutant[] = [
  {
    name: "build-for-the-requester",
    breaks: "what an administrator claims for another stays a claim under way",
    file: `${create}/claim-workspace.ts`,
    find: "    ownerId,\n    number:",
    replace: "    ownerId: initiatorId,\n    number:",
    suite,
  },
  {
    name: "canceled-claim-succeeded",
    breaks: "a claim that was canceled before it began counts as one that succeeded",
    file: "packages/server/src/platform/jobs/job-sql.ts",
    find: "${error} is null and ${canceled} is null",
    replace: "${error} is null",
    suite,
  },
  {
    name: "failed-claim-succeeded",
    breaks: "a claim that failed counts as one that succeeded",
    file: "packages/server/src/platform/jobs/job-sql.ts",
    find: "${error} is null and ",
    replace: "",
    suite,
  },
  {
    name: "stop-after-failed-claim-ignored",
    breaks: "a start after a failed claim and a stop takes over processes that have ended",
    file: `${builds}/predecessor-queries.ts`,
    find: '.where("b.build_number", "<", before)',
    replace: '.where("b.build_number", "<", before).where("b.transition", "=", "start")',
    suite,
  },
  {
    name: "cancel-mark-kept",
    breaks: "a claim that succeeded before it could be canceled counts as canceled",
    file: "packages/server/src/platform/jobs/queries.ts",
    find: "case when ${error}::text is null then null else canceled_at end",
    replace: "canceled_at",
    suite,
  },
  {
    name: "claimed-without-deadline",
    breaks: "a claimed workspace runs for ever",
    file: `${create}/claim-workspace.ts`,
    find: "...buildRows(id, { ...build, deadline }, parameters),",
    replace: "...buildRows(id, { ...build, deadline: null }, parameters),",
    suite,
  },
  {
    name: "claimed-by-job-without-deadline",
    breaks: "a workspace that a job handed over runs for ever",
    file: `${builds}/build-job.ts`,
    find: "      await insertRows(trx, rows);\n      await updateDeadline(trx, context.id);",
    replace: "      await insertRows(trx, rows);",
    suite,
  },
  {
    name: "claimed-without-machine",
    breaks: "the server on whose machine a claimed workspace runs does not know it any more",
    file: `${create}/claim-workspace.ts`,
    find: "{ workerId, stage: claimStage, line }",
    replace: "{ workerId: null, stage: claimStage, line }",
    suite,
  },
  {
    name: "new-tokens-at-a-claim",
    breaks: "the agents of a claimed workspace get tokens that no process has",
    file: `${builds}/take-over.ts`,
    find: "    processes,\n  });",
    replace: "    processes: new Map(),\n  });",
    suite,
  },
  {
    name: "restored-stays-owed",
    breaks: "a process that was started anew is told to start over",
    file: "packages/server/src/features/agents/agent-queries.ts",
    find: "      took_over: false,\n      clock_ahead_ms",
    replace: "      clock_ahead_ms",
    suite,
  },
  {
    name: "start-is-always-a-claim",
    breaks: "every restart of a workspace takes over the processes before it",
    file: `${builds}/take-over.ts`,
    find: " || last.owner_id === context.build_owner_id",
    replace: "",
    suite,
  },
];
