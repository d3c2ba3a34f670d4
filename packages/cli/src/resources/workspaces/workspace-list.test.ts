import type { AppHealth } from "@slipway/api/agents/app";
import type { Workspace } from "@slipway/api/workspaces/workspace";
import { expect, it } from "vitest";

import {
  sampleAgent,
  sampleApp,
  sampleBuild,
  sampleWorkspace,
} from "../../../tests/support/sample-workspace.ts";
import { noColors } from "../../terminal/colors.ts";
import { renderColumns } from "../../terminal/table.ts";
import { defaultWorkspaceColumns, workspaceColumns } from "./workspace-list.ts";

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
    "in 5 hours  8h           in 1 day     9:30 Mon-Fri (Europe/Berlin)  demo",
    "-           -            -            -                             demo",
  ]);
});

it("prints when dormant workspaces are deleted", () => {
  const dormant = { ...sampleWorkspace, deleting_at: "2026-01-30T12:00:00Z" };
  const [, ...lines] = renderColumns(
    workspaceColumns(view),
    ["deletion"],
    [dormant, sampleWorkspace],
    layout,
  );
  expect(lines).toEqual([expect.stringMatching(/30 Jan 2026/), "-"]);
});

/** Returns a running workspace whose apps have these states, named app0, app1 and so on. */
function withApps(...states: readonly AppHealth[]): Workspace {
  const apps = Array.from(states, (health, index) =>
    Object.assign({}, sampleApp, { slug: `app${index}`, health }),
  );
  const { id, created_at } = sampleAgent;
  const resource = {
    id,
    created_at,
    job_id: id,
    workspace_transition: "start" as const,
    type: "process",
    name: "box",
    hide: false,
    icon: "",
    agents: [{ ...sampleAgent, apps }],
    metadata: [],
    daily_cost: 0,
  };
  return { ...sampleWorkspace, latest_build: { ...sampleBuild, resources: [resource] } };
}

it("names an app that is not healthy, in a workspace whose agents are", () => {
  const health = { healthy: false, failing_agents: [] };
  const workspaces = [
    withApps("healthy", "disabled", "initializing"),
    withApps("healthy", "unhealthy"),
    withApps("unhealthy", "unhealthy", "unhealthy"),
    { ...withApps("unhealthy"), health },
  ];
  expect(renderColumns(workspaceColumns(view), ["healthy"], workspaces, layout)).toEqual([
    "HEALTHY",
    "yes",
    "no: app app1",
    "no: app app0 and 2 more",
    "no",
  ]);
});
