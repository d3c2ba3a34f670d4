import type { Mutant } from "../mutant.ts";
import { agentLogsSuite, jobLogsSuite } from "./suites.ts";

/** Bugs in the second page of a log. */
export const logs: readonly Mutant[] = [
  {
    name: "first-page-of-a-jobs-log",
    breaks: "a job's log ends after one read",
    file: "packages/server/src/platform/jobs/log-stream.ts",
    find: "    if (rows.length < maxLogsPerRead) return logs;",
    replace: "    if (rows.length <= maxLogsPerRead) return logs;",
    suite: jobLogsSuite,
  },
  {
    name: "first-page-of-an-agents-log",
    breaks: "a follower of an agent's log waits after one read",
    file: "packages/server/src/features/agents/logs/log-stream.ts",
    find: "while (part.logs.length === maxLogsPerRead);",
    replace: "while (part.logs.length > maxLogsPerRead);",
    suite: agentLogsSuite,
  },
];
