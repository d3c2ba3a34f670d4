import type { Mutant } from "../mutant.ts";

const reinit = "packages/server/src/features/prebuilds/reinit";
const suite = { project: "db", files: ["packages/server/tests/claim-build.test.ts"] } as const;

/** Bugs in telling agents of a claim. */
export const reinitMutants: readonly Mutant[] = [
  {
    name: "was-never-claiming",
    breaks: "a process that was started while the claim's build ran is told to start over",
    file: `${reinit}/reinit-route.ts`,
    find: 'wasClaiming: standing === "claiming"',
    replace: "wasClaiming: false",
    suite: { project: "db", files: ["packages/server/tests/reinit-by-job.test.ts"] },
  },
  {
    name: "look-shares-running-statement",
    breaks: "a look after a hint sees what was there before it",
    file: "packages/server/src/platform/db/gathered-lookups.ts",
    find: "await this.#lookOnce(this.#waiting.splice(0, maxPerLook));",
    replace: "{ await this.#lookOnce(this.#waiting); this.#waiting.length = 0; }",
    suite: { project: "db", files: ["packages/server/tests/gathered-views.test.ts"] },
  },
  {
    name: "granted-after-the-beginning",
    breaks: "an agent is told to start over although it has begun its new life",
    file: `${reinit}/queries.ts`,
    find: '.where("started_at", "is", null)',
    replace: "",
    suite,
  },
  {
    name: "granted-to-others",
    breaks: "an agent that took over nothing is told to start over",
    file: `${reinit}/queries.ts`,
    find: '.where("took_over", "=", sql.lit(true))',
    replace: "",
    suite,
  },
  {
    name: "granted-after-receipt",
    breaks: "an agent that was seen to end its life before is told again",
    file: `${reinit}/queries.ts`,
    find: '.where("reinit_received_at", "is", null)',
    replace: "",
    suite,
  },
  {
    name: "granted-again-at-once",
    breaks: "two streams of one agent are both told",
    file: `${reinit}/queries.ts`,
    find: 'eb("reinit_sent_at", "is", null),',
    replace: "sql<boolean>`true`,",
    suite,
  },
  {
    name: "never-granted-again",
    breaks: "an agent whose frame was lost is never told again",
    file: `${reinit}/queries.ts`,
    find: 'eb("reinit_sent_at", "<=",',
    replace: 'eb("reinit_sent_at", ">",',
    suite,
  },
  {
    name: "canceled-claim-hands-over",
    breaks: "a canceled claim ends the wait of the agents",
    file: "packages/server/src/platform/jobs/job-sql.ts",
    find: "${error} is null and ${canceled} is null",
    replace: "${error} is null",
    suite,
  },
  {
    name: "stop-forgotten-by-the-view",
    breaks: "agents wait on although a stop ended them after a failed claim",
    file: `${reinit}/queries.ts`,
    find: "where b.workspace_id = w.id and (",
    replace: "where b.workspace_id = w.id and b.transition = 'start' and (",
    suite,
  },
];
