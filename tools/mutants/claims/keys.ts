import type { Mutant } from "../mutant.ts";

const file = "packages/server/src/platform/db/migrations/0001-foundation.ts";
const suite = { project: "db", files: ["packages/server/tests/claim-keys.test.ts"] } as const;

/** Constraints without which two statements at once break a claim. In the copy of the tree a migration may be edited. */
export const keys: readonly Mutant[] = [
  {
    name: "build-number-not-unique",
    breaks: "two builds of a workspace have the same number",
    file,
    find: ",\n    unique (workspace_id, build_number)",
    replace: "",
    suite,
  },
  {
    name: "agent-token-not-unique",
    breaks: "a token is that of two agents",
    file,
    find: "create unique index workspace_agents_token on",
    replace: "create index workspace_agents_token on",
    suite,
  },
  {
    name: "agent-token-unique-for-ever",
    breaks: "an agent that takes over a process cannot have its token",
    file,
    find: "workspace_agents_token on workspace_agents (auth_token_hash) where not deleted",
    replace: "workspace_agents_token on workspace_agents (auth_token_hash)",
    suite,
  },
  {
    name: "two-open-jobs",
    breaks: "two builds of a workspace run at the same time",
    file,
    find: "create unique index jobs_one_running_per_workspace",
    replace: "create index jobs_one_running_per_workspace",
    suite,
  },
];
