import type { Mutant } from "../mutant.ts";

const create = "packages/server/src/features/workspaces/create";
const reconcile = "packages/server/src/features/prebuilds/reconcile";
const suite = { project: "db", files: ["packages/server/tests/claim-effects.test.ts"] } as const;
const pools = { project: "db", files: ["packages/server/tests/reconciler.test.ts"] } as const;
const plans = { project: "unit", files: [`${reconcile}/reconcile.test.ts`] } as const;
const passes = { project: "db", files: ["packages/server/tests/claim-passes.test.ts"] } as const;
const builds = { project: "db", files: ["packages/server/tests/claim-build.test.ts"] } as const;
const jobs = { project: "db", files: ["packages/server/tests/jobs.test.ts"] } as const;

/** Bugs in what claims, pools and jobs write and say beside the ownership. */
export const effects: readonly Mutant[] = [
  {
    name: "passes-over-one",
    breaks: "a claim gives up after the first prebuild that changes before it has it",
    file: `${create}/take-prebuild.ts`,
    find: "const maxPassed = 16;",
    replace: "const maxPassed = 1;",
    suite: passes,
  },
  {
    name: "passes-over-all",
    breaks: "one claim locks the whole pool",
    file: `${create}/take-prebuild.ts`,
    find: "const maxPassed = 16;",
    replace: "const maxPassed = Infinity;",
    suite: passes,
  },
  {
    name: "claimed-as-long-unused",
    breaks: "a claimed workspace counts as unused since it was built, and becomes dormant",
    file: `${create}/take-prebuild-queries.ts`,
    find: "      last_used_at: sql`now()`,\n",
    replace: "",
    suite,
  },
  {
    name: "claimed-without-next-start",
    breaks: "the schedule of a claimed workspace never starts it",
    file: `${create}/take-prebuild-queries.ts`,
    find: '      next_start_at: sql.ref("new.next_start_at"),\n',
    replace: "",
    suite,
  },
  {
    name: "claimed-without-audit",
    breaks: "the audit trail does not know who got a workspace",
    file: `${create}/claim-workspace.ts`,
    find: "[...build.rows, ...audit]",
    replace: "build.rows",
    suite,
  },
  {
    name: "claimed-unseen-by-watchers",
    breaks: "watchers of a claimed workspace are not hinted",
    file: `${create}/claim-workspace.ts`,
    find: "    topics.workspace(id),\n",
    replace: "",
    suite,
  },
  {
    name: "claimed-unseen-by-pools",
    breaks: "a pool is refilled with the next regular look only",
    file: `${create}/claim-workspace.ts`,
    find: "    topics.prebuilds,\n",
    replace: "",
    suite,
  },
  {
    name: "claimed-from-disabled-driver",
    breaks: "a prebuild of a driver that is disabled now is given away",
    file: `${create}/claim-workspace.ts`,
    find: "  requireEnabled(driver);\n",
    replace: "",
    suite,
  },
  {
    name: "claim-needs-room-for-a-build",
    breaks: "a user with many pending builds cannot claim",
    file: `${create}/create-service.ts`,
    find: "if (claimed === undefined) room.requireBuild();",
    replace: "room.requireBuild();",
    suite,
  },
  {
    name: "cancels-the-oldest-surplus",
    breaks: "a pool that shrinks takes back what would be done first",
    file: `${reconcile}/reconcile.ts`,
    find: "return prebuilds.slice(prebuilds.length - Math.min(count, prebuilds.length));",
    replace: "return prebuilds.slice(0, count);",
    suite: plans,
  },
  {
    name: "failed-deletions-hold-off",
    breaks: "deletions that fail keep a pool from being filled",
    file: `${reconcile}/reconcile.ts`,
    find: 'build.transition === "start" && build.isOfVersion && isOver(build)',
    replace: "build.isOfVersion && isOver(build)",
    suite: plans,
  },
  {
    name: "creates-without-bound",
    breaks: "one transaction creates as many prebuilds as are missing",
    file: `${reconcile}/reconciler.ts`,
    find: "Math.min(plan.create, maxPerLook - queued)",
    replace: "plan.create",
    suite: pools,
  },
  {
    name: "deletes-without-bound",
    breaks: "one transaction deletes as many prebuilds as are too many",
    file: `${reconcile}/reconciler.ts`,
    find: "plan.remove.slice(0, maxPerLook)",
    replace: "plan.remove",
    suite: pools,
  },
  {
    name: "validation-failure-forgotten",
    breaks: "a pool that can never be filled is tried again with every look",
    file: `${reconcile}/reconciler.ts`,
    find: '  if (pool.status === "validation_failed") return;\n',
    replace: "",
    suite: pools,
  },
  {
    name: "agents-made-twice",
    breaks: "a build that another worker takes over gets its agents twice",
    file: "packages/server/src/features/builds/build-job.ts",
    find: "  if (context.has_resources) return;\n",
    replace: "",
    suite: builds,
  },
  {
    name: "taken-over-job-starts-anew",
    breaks: "a job that another worker takes over forgets when it was started",
    file: "packages/server/src/platform/jobs/queries.ts",
    find: "started_at: sql`coalesce(started_at, now())`",
    replace: "started_at: sql`now()`",
    suite: jobs,
  },
];
