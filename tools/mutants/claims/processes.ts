import type { Mutant } from "../mutant.ts";

const takeOver = "packages/server/src/features/builds/take-over.ts";
const claim = "packages/server/src/features/workspaces/create/claim-workspace.ts";
const marked = "packages/agent/src/process/marked-processes.ts";
const builds = { project: "db", files: ["packages/server/tests/claim-build.test.ts"] } as const;
const whole = { project: "db", files: ["packages/server/tests/claim-processes.test.ts"] } as const;
const unit = {
  project: "unit",
  files: ["packages/agent/src/process/marked-processes.test.ts"],
} as const;

/** Bugs by which what ran in a prebuild goes on for its new owner. */
export const processes: readonly Mutant[] = [
  {
    name: "restart-only-at-a-retry",
    breaks: "a claim of a template that restarts keeps the tokens",
    file: claim,
    find: " || restartsAtClaim(definition)",
    replace: "",
    suite: whole,
  },
  {
    name: "restart-takes-over",
    breaks: "a queued claim of a template that restarts keeps the tokens",
    file: takeOver,
    find: "!restartsAtClaim(context.definition) && ",
    replace: "",
    suite: builds,
  },
  {
    name: "strays-go-on",
    breaks: "a daemon of the prebuild's scripts runs on under its new owner",
    file: "packages/agent/src/session/agent-session.ts",
    find: "await this.#endStrays(workspace.marks, signal)",
    replace: 'await this.#endStrays({ ...workspace.marks, CODER_WORKSPACE_ID: "" }, signal)',
    suite: whole,
  },
  {
    name: "marks-by-prefix",
    breaks: "processes of an owner whose name only begins the same are ended",
    file: marked,
    find: "return wanted.every((variable) => variables.has(variable));",
    replace: "return variables.size > 0;",
    suite: unit,
  },
  {
    name: "children-go-on",
    breaks: "a child that has cleared its environment goes on",
    file: marked,
    find: "for (const { pid } of children.get(parent) ?? []) if",
    replace: "for (const { pid } of children.get(-parent) ?? []) if",
    suite: unit,
  },
  {
    name: "never-kills",
    breaks: "a process that ignores SIGTERM goes on",
    file: marked,
    find: 'signalProcess(pid, "SIGKILL")',
    replace: 'signalProcess(pid, "SIGTERM")',
    suite: unit,
  },
  {
    name: "kills-its-own-parents",
    breaks: "an agent that runs in another agent's workspace ends that",
    file: marked,
    find: "    found.add(parent);\n    parent = processes",
    replace: "    parent = processes",
    suite: unit,
  },
];
