import { expect, it } from "vitest";

import { sampleBuild, sampleWorkspace } from "../../../tests/support/sample-workspace.ts";
import { noColors } from "../../terminal/colors.ts";
import { renderColumns } from "../../terminal/table.ts";
import { defaultWorkspaceColumns, workspaceColumns } from "./workspace-columns.ts";

const layout = { colors: noColors, columns: undefined };

const view = { showOwner: false, now: Date.parse("2026-01-01T03:00:00Z"), colors: noColors };

it("prints one line per workspace", () => {
  const stopped = {
    ...sampleWorkspace,
    name: "box",
    outdated: true,
    latest_build: { ...sampleBuild, status: "stopped" as const },
  };
  const sick = { ...sampleWorkspace, name: "sick", health: { healthy: false, failing_agents: [] } };
  const workspaces = [sampleWorkspace, stopped, sick];
  expect(
    renderColumns(workspaceColumns(view), defaultWorkspaceColumns, workspaces, layout),
  ).toEqual([
    "WORKSPACE  TEMPLATE  STATUS   HEALTHY  LAST BUILT   OUTDATED",
    "demo       small     running  yes      3 hours ago  no",
    "box        small     stopped  -        3 hours ago  yes",
    "sick       small     running  no       3 hours ago  no",
  ]);
});

it("shows the owner if workspaces of several are listed", () => {
  const columns = workspaceColumns({ ...view, showOwner: true });
  const [, line] = renderColumns(columns, defaultWorkspaceColumns, [sampleWorkspace], layout);
  expect(line).toMatch(/^ada\/demo /);
});

it("prints the requested columns, in their order", () => {
  const scheduled = {
    ...sampleWorkspace,
    autostart_schedule: "CRON_TZ=Europe/Berlin 30 9 * * mon-fri",
    next_start_at: "2026-01-02T08:30:00Z",
    ttl_ms: 28_800_000,
    latest_build: { ...sampleBuild, deadline: "2026-01-01T08:00:00Z" },
  };
  const wanted = ["stops next", "stops after", "starts next", "starts at", "workspace"] as const;
  const workspaces = [scheduled, sampleWorkspace];
  expect(renderColumns(workspaceColumns(view), wanted, workspaces, layout)).toEqual([
    "STOPS NEXT  STOPS AFTER  STARTS NEXT  STARTS AT                     WORKSPACE",
    "in 5 hours  8h           in 1 day     9:30 mon-fri (Europe/Berlin)  demo",
    "-           -            -            -                             demo",
  ]);
});
