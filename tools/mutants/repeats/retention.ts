import type { Mutant } from "../mutant.ts";

const file = "packages/server/src/features/cleanup/queries.ts";
const suite = { project: "db", files: ["packages/server/tests/cleanup.test.ts"] } as const;

/** Bugs in the removal of what is old. */
export const retention: readonly Mutant[] = [
  {
    name: "removes-builds-as-dry-runs",
    breaks: "jobs of builds are removed a day after they ended",
    file,
    find: "type = 'template_version_dry_run' and completed_at",
    replace: "type <> 'template_version_import' and completed_at",
    suite,
  },
  {
    name: "removes-versions-under-import",
    breaks: "a version whose import still runs is removed",
    file,
    find: "            and import.completed_at is not null\n",
    replace: "",
    suite,
  },
  {
    name: "removes-versions-under-a-dry-run",
    breaks: "the cleanup stops at a version with a dry run",
    file,
    find: "            and not exists (select from template_version_dry_runs where template_version_id = version.id)\n",
    replace: "",
    suite,
  },
  {
    name: "removes-history-of-the-just-replaced",
    breaks: "the log of an agent is removed when its old build is replaced",
    file,
    find: "\n            and later.created_at < ${cutoff})",
    replace: ")",
    suite,
  },
  {
    name: "removes-live-sub-agents",
    breaks: "a sub-agent that runs for long is removed",
    file,
    find: "parent_id is not null and deleted and updated_at",
    replace: "parent_id is not null and updated_at",
    suite,
  },
  {
    name: "removes-history-of-the-running",
    breaks: "agents that go on after a stop lose their log",
    file,
    find: 'where place > ${kept} and not ${isLiveAgent(sql.ref("replaced.id"))}',
    replace: "where place > ${kept}",
    suite,
  },
  {
    name: "removes-files-of-versions",
    breaks: "the cleanup removes the source of a template",
    file,
    find: "          and not exists (select from template_versions where file_id = file.id)\n          and not exists (select from jobs where file_id = file.id)\n",
    replace: "",
    suite,
  },
];
