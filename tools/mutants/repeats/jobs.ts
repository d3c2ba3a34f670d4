import type { Mutant } from "../mutant.ts";

const buildJob = "packages/server/src/features/builds/build-job.ts";
const cancel = "packages/server/src/features/builds/cancel-service.ts";
const queries = "packages/server/src/platform/jobs/queries.ts";
const suite = { project: "db", files: ["packages/server/tests/job-outcomes.test.ts"] } as const;

/** Bugs in jobs, their ends and their cancellation. */
export const jobMutants: readonly Mutant[] = [
  {
    name: "success-unseen",
    breaks: "watchers do not learn that a build has succeeded",
    file: buildJob,
    find: "      topics.workspace(context.workspace_id),\n",
    replace: "",
    suite,
  },
  {
    name: "failure-unseen",
    breaks: "watchers do not learn that a build has failed",
    file: buildJob,
    find: "    error,\n    topics: [topics.builds(context.workspace_id), topics.workspace(context.workspace_id)],",
    replace: "    error,\n    topics: [],",
    suite,
  },
  {
    name: "handover-untold",
    breaks: "the processes of a claim by a job learn of their owner with the next check only",
    file: buildJob,
    find: "topics.workspace(workspaceId), topics.claim(workspaceId)]",
    replace: "topics.workspace(workspaceId)]",
    suite,
  },
  {
    name: "failed-stop-drops-agents",
    breaks: "a workspace whose stop failed has lost its agents",
    file: buildJob,
    find: '      if (context.transition !== "start") return;\n      await dropAgents(trx, context.id);',
    replace:
      "      await dropAgents(trx, (await selectLastStart(trx, context.workspace_id, context.build_number))?.id ?? context.id);",
    suite,
  },
  {
    name: "canceled-twice",
    breaks: "a job is canceled again, which moves the time and is audited again",
    file: "packages/server/src/platform/jobs/cancel-service.ts",
    find: 'if (job.canceled_at !== null) throw new Invalid("Job has already been marked as canceled!");',
    replace: "",
    suite,
  },
  {
    name: "cancels-what-has-ended",
    breaks: "a job that has ended is canceled, and counts as canceled",
    file: "packages/server/src/platform/jobs/cancel-service.ts",
    find: 'if (job.completed_at !== null) throw new Invalid("Job has already completed!");',
    replace: "if (job.completed_at !== null && job.canceled_at !== null) return;",
    suite,
  },
  {
    name: "pending-job-never-ends",
    breaks: "a job that was canceled before it began blocks its workspace until a worker takes it",
    file: queries,
    find: "completed_at: sql`case when started_at is null then now() end`,",
    replace: "",
    suite,
  },
  {
    name: "running-job-ends-at-once",
    breaks: "a job that is canceled ends while its driver still works",
    file: queries,
    find: "completed_at: sql`case when started_at is null then now() end`,",
    replace: "completed_at: sql`now()`,",
    suite,
  },
  {
    name: "cancellation-without-audit",
    breaks: "the audit trail does not know who canceled a build",
    file: cancel,
    find: "    await recordAudit(trx, {",
    replace: "    if (expected !== undefined) await recordAudit(trx, {",
    suite,
  },
  {
    name: "cancellation-untold-to-the-worker",
    breaks: "a canceled build goes on until its lease is renewed",
    file: cancel,
    find: "  pubsub.publish(topics.jobCancel(build.job_id));\n",
    replace: "",
    suite,
  },
  {
    name: "cancellation-unseen",
    breaks: "watchers do not learn that a build was canceled",
    file: cancel,
    find: "  pubsub.publish(topics.workspace(build.workspace_id));\n",
    replace: "",
    suite,
  },
  {
    name: "lease-is-not-longer",
    breaks: "a worker loses its job although it renews the lease",
    file: queries,
    find: "    .set({ lease_until: sql`now() + make_interval(secs => ${leaseSeconds})` })",
    replace: "    .set({ updated_at: sql`now()` })",
    suite,
  },
  {
    name: "ended-jobs-are-renewed",
    breaks: "a job that has ended still seems to be its worker's",
    file: queries,
    find: '    .where("id", "in", jobIds)\n    .where("completed_at", "is", null)',
    replace: '    .where("id", "in", jobIds)',
    suite,
  },
  {
    name: "log-without-hints",
    breaks: "followers of a job's log wait for the next poll",
    file: "packages/server/src/platform/jobs/job-log-writer.ts",
    find: "        this.#pubsub.publish(topics.job(this.#jobId));\n",
    replace: "",
    suite,
  },
  {
    name: "log-without-stages",
    breaks: "lines of a log belong to the first stage",
    file: "packages/server/src/platform/jobs/job-log-writer.ts",
    find: "    this.#stage = name;\n",
    replace: "    this.#stage ||= name;\n",
    suite,
  },
];
