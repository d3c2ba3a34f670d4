import type { Mutant } from "../mutant.ts";
import { statuses } from "./suites.ts";

const templates = "packages/server/src/features/templates";
const prebuilds = "packages/server/src/features/prebuilds";

/** Holes in the rights to write templates, dry-run them, and look after pools. */
export const templateHoles: readonly Mutant[] = [
  {
    name: "anybody-reads-dry-runs",
    breaks: "a member reads anybody's dry run",
    file: `${templates}/dry-run-service.ts`,
    find: " &&\n    (mayActFor(caller, run.initiator_id) || mayWriteTemplates(caller))",
    replace: "",
    suite: statuses,
  },
  {
    name: "anybody-uploads",
    breaks: "a member uploads files",
    file: "packages/server/src/features/files/service.ts",
    find: "if (!mayWriteTemplates(caller))",
    replace: "if (caller.id === '')",
    suite: statuses,
  },
  {
    name: "anybody-downloads",
    breaks: "a member downloads anybody's template",
    file: "packages/server/src/features/files/service.ts",
    find: "  if (!mayRead) throw notFound();",
    replace: "  if (!mayRead && file === undefined) throw notFound();",
    suite: statuses,
  },
  {
    name: "anybody-compares-versions",
    breaks: "a member reads what a version changed",
    file: `${templates}/diff-service.ts`,
    find: "if (!mayWriteTemplates(caller))",
    replace: "if (caller.id === '')",
    suite: statuses,
  },
  {
    name: "anybody-imports-versions",
    breaks: "a member makes template versions",
    file: `${templates}/version-service.ts`,
    find: "if (!mayWriteTemplates(caller))",
    replace: "if (caller.id === '')",
    suite: statuses,
  },
  {
    name: "anybody-archives-versions",
    breaks: "a member archives template versions",
    file: `${templates}/archive-service.ts`,
    find: "if (!mayWriteTemplates(caller))",
    replace: "if (caller.id === '')",
    suite: statuses,
  },
  {
    name: "anybody-edits-templates",
    breaks: "a member changes templates",
    file: `${templates}/change-service.ts`,
    find: "if (!mayWriteTemplates(caller))",
    replace: "if (caller.id === '')",
    suite: statuses,
  },
  {
    name: "anybody-invalidates",
    breaks: "a member has all prebuilds replaced",
    file: `${prebuilds}/invalidate-service.ts`,
    find: "if (!mayWriteTemplates(caller))",
    replace: "if (caller.id === '')",
    suite: statuses,
  },
  {
    name: "template-admin-pauses-pools",
    breaks: "a template admin pauses all pools",
    file: `${prebuilds}/settings-service.ts`,
    find: "if (!isOwnerRole(caller))",
    replace: "if (caller.id === '')",
    suite: statuses,
  },
  {
    name: "anybody-sees-pools",
    breaks: "a member sees pools and whether they are paused",
    file: `${prebuilds}/settings-service.ts`,
    find: "if (!mayReadPrebuilds(caller)) throw notFound();",
    replace: "",
    suite: statuses,
  },
];
