import type { Mutant } from "../mutant.ts";

const service = "packages/server/src/features/workspaces/settings-service.ts";
const suite = { project: "db", files: ["packages/server/tests/repeated-changes.test.ts"] } as const;

/** Bugs in the settings of workspaces. */
export const settings: readonly Mutant[] = [
  {
    name: "same-deadline-audited-again",
    breaks: "a repeated request for a deadline is one more entry in the audit trail",
    file: "packages/server/src/features/builds/deadline-service.ts",
    find: "  if (wantedMs === timestampMs(build.deadline)) return false;\n",
    replace: "",
    suite,
  },
  {
    name: "same-favorite-audited-again",
    breaks: "a favorite that is one already is one more entry in the audit trail",
    file: service,
    find: "  if (row.favorite === favorite) return;\n",
    replace: "",
    suite,
  },
  {
    name: "same-name-audited-again",
    breaks: "a new name that is the old one is one more entry in the audit trail",
    file: service,
    find: " || name === row.name) return;",
    replace: ") return;",
    suite,
  },
  {
    name: "dormant-twice",
    breaks: "a workspace that sleeps is put to sleep again, from now on",
    file: "packages/server/src/features/workspaces/dormancy-service.ts",
    find: "    if ((current.dormant_at !== null) === dormant) return undefined;\n",
    replace: "",
    suite,
  },
  {
    name: "waking-is-no-use",
    breaks: "a workspace that is woken up becomes dormant again at once",
    file: "packages/server/src/features/workspaces/settings-queries.ts",
    find: "...(dormantAt === null ? { last_used_at: sql`now()` } : {}),",
    replace: "",
    suite,
  },
  {
    name: "settings-unseen",
    breaks: "watchers do not learn of changed settings",
    file: service,
    find: "      fields: { workspace_owner: row.owner_name },\n    });\n  });\n  pubsub.publish(topics.workspace(row.id));",
    replace: "      fields: { workspace_owner: row.owner_name },\n    });\n  });",
    suite,
  },
  {
    name: "use-unseen",
    breaks: "watchers do not learn of a deadline that use has moved",
    file: service,
    find: "  needs.pubsub.publish(topics.workspace(row.id));\n}",
    replace: "}",
    suite,
  },
  {
    name: "deadline-unseen",
    breaks: "watchers do not learn of a deadline that was moved",
    file: service,
    find: "  if (isNew) needs.pubsub.publish(topics.workspace(row.id));\n",
    replace: "",
    suite,
  },
];
