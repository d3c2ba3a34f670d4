import { expect, test } from "vitest";

import { noColors } from "../../terminal/colors.ts";
import { sampleBuild, sampleWorkspace } from "../sample.ts";
import { workspaceTable } from "./workspace-table.ts";

const view = { showOwner: false, now: Date.parse("2026-01-01T03:00:00Z"), colors: noColors };

test("prints a workspace a line", () => {
  const stopped = {
    ...sampleWorkspace,
    name: "box",
    outdated: true,
    latest_build: { ...sampleBuild, status: "stopped" as const },
  };
  const sick = { ...sampleWorkspace, name: "sick", health: { healthy: false, failing_agents: [] } };
  expect(workspaceTable([sampleWorkspace, stopped, sick], view)).toEqual([
    "NAME  TEMPLATE  STATUS   HEALTHY  LAST BUILT   OUTDATED",
    "demo  small     running  yes      3 hours ago  no",
    "box   small     stopped  -        3 hours ago  yes",
    "sick  small     running  no       3 hours ago  no",
  ]);
});

test("names the owner where several are listed", () => {
  const [, line] = workspaceTable([sampleWorkspace], { ...view, showOwner: true });
  expect(line).toMatch(/^ada\/demo /);
});
