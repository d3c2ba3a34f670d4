import type { Mutant } from "../mutant.ts";

const file = "packages/server/src/features/prebuilds/reconcile/queries.ts";
const suite = { project: "db", files: ["packages/server/tests/reconciler.test.ts"] } as const;

/** Bugs in the filling of pools. */
export const reconciler: readonly Mutant[] = [
  {
    name: "two-reconcilers-at-once",
    breaks: "two replicas fill the same pool at the same time",
    file,
    find: "return rows[0]?.locked === true;",
    replace: "return rows.length === 1;",
    suite,
  },
  {
    name: "canceled-prebuild-misread",
    breaks: "a canceled prebuild counts as failed, and stays",
    file: "packages/server/src/platform/jobs/job-sql.ts",
    find: "when ${canceled} is not null then case when ${completed} is null then 'canceling' else 'canceled' end",
    replace: "",
    suite,
  },
  {
    name: "canceling-prebuild-misread",
    breaks: "a prebuild counts as canceled while its build still runs",
    file,
    find: 'row.status === "canceling" ? "running"',
    replace: 'row.status === "canceling" ? "canceled"',
    suite,
  },
  {
    name: "deletes-whoever-owns-it",
    breaks: "the reconciler deletes a workspace that a claim took meanwhile",
    file,
    find: '    .where("owner_id", "=", prebuildsUserId)\n    .where("deleted"',
    replace: '    .where("deleted"',
    suite,
  },
  {
    name: "deletion-waits-for-a-claim",
    breaks: "a look at the pools waits for a claim that holds a prebuild",
    file,
    find: ".skipLocked()",
    replace: "",
    suite,
  },
  {
    name: "one-ready-agent-is-enough",
    breaks: "a prebuild counts as ready while one of its agents starts",
    file,
    find: "bool_and(a.lifecycle_state = 'ready')",
    replace: "bool_or(a.lifecycle_state = 'ready')",
    suite,
  },
  {
    name: "old-versions-forgotten",
    breaks: "the prebuilds of a version that is no longer active stay",
    file,
    find: "where prebuild_preset_id is not null and not deleted",
    replace: "where false",
    suite,
  },
  {
    name: "pause-ignored",
    breaks: "pools are filled although an owner has paused that",
    file: "packages/server/src/features/prebuilds/reconcile/reconciler.ts",
    find: "if ((await readPrebuildsSettings(needs.db)).reconciliation_paused) return 0;",
    replace: "",
    suite,
  },
];
