import type { Mutant } from "../mutant.ts";

const suite = { project: "db", files: ["packages/server/tests/claim-races.test.ts"] } as const;
const late = { project: "db", files: ["packages/server/tests/late-reports.test.ts"] } as const;

/** Bugs that show when an event coincides with a claim, or is reported after it. */
export const races: readonly Mutant[] = [
  {
    name: "builds-for-another-owner",
    breaks:
      "an administrator's deletion of a prebuild hits the workspace of who claimed it meanwhile",
    file: "packages/server/src/features/builds/lock-service.ts",
    find: "if (row.owner_id !== ownerId) {",
    replace: "if (row.deleted) {",
    suite,
  },
  {
    name: "template-deleted-under-a-claim",
    breaks: "a template is deleted although somebody claims a workspace of it",
    file: "packages/server/src/features/workspaces/create/take-prebuild-queries.ts",
    find: '.where(keepsTemplate(sql.ref("w.template_id")))',
    replace: "",
    suite,
  },
  {
    name: "user-deleted-under-a-claim",
    breaks: "a deleted user has a workspace",
    file: "packages/server/src/features/workspaces/create/take-prebuild-queries.ts",
    find: ".where(keepsUser(sql.val(ownerId)))",
    replace: "",
    suite,
  },
  {
    name: "late-report-begins-a-life",
    breaks: "a stock agent's report of its life before the claim counts as its new beginning",
    file: "packages/server/src/features/agents/rpc/lifecycle-queries.ts",
    find: "* 1000 >= coalesce(a.clock_ahead_ms, 0))",
    replace: "* 1000 > '-infinity')",
    suite: late,
  },
  {
    name: "identity-not-believed",
    breaks: "an agent of ours whose clock was set back is told to start over although it has",
    file: "packages/server/src/features/agents/rpc/lifecycle-queries.ts",
    find: "or position(${sql.lit(identityMark)} in a.version) > 0",
    replace: "",
    suite: late,
  },
  {
    name: "own-job-taken-again",
    breaks: "a worker that could not renew a lease runs its own job twice at the same time",
    file: "packages/server/src/platform/jobs/queries.ts",
    find: "id <> all(${active}::uuid[])",
    replace: "(id <> all(${active}::uuid[]) or lease_until < now())",
    suite: { project: "db", files: ["packages/server/tests/jobs.test.ts"] },
  },
];
