import type { WorkspaceAgent } from "@slipway/api/agents/agent";
import type { Workspace } from "@slipway/api/workspaces/workspace";
import { expect, it } from "vitest";

import {
  sampleAgent,
  sampleBuild,
  sampleWorkspace,
} from "../../../tests/support/sample-workspace.ts";
import { chooseAgent } from "./choose-agent.ts";

function workspaceWith(...agents: readonly Partial<WorkspaceAgent>[]): Workspace {
  const resource = {
    id: sampleBuild.id,
    created_at: sampleBuild.created_at,
    job_id: sampleBuild.id,
    workspace_transition: "start" as const,
    type: "box",
    name: "box",
    hide: false,
    icon: "",
    agents: agents.map((agent) => Object.assign({}, sampleAgent, agent)),
    metadata: [],
    daily_cost: 0,
  };
  return { ...sampleWorkspace, latest_build: { ...sampleBuild, resources: [resource] } };
}

it("takes the only agent", () => {
  expect(chooseAgent(workspaceWith({ name: "main" }), undefined).name).toBe("main");
});

it("takes the only agent outside dev containers, and the others by name", () => {
  const workspace = workspaceWith({ name: "main" }, { name: "dev", parent_id: sampleAgent.id });
  expect(chooseAgent(workspace, undefined).name).toBe("main");
  expect(chooseAgent(workspace, "dev").name).toBe("dev");
});

it("lists the agents if there are several", () => {
  const workspace = workspaceWith({ name: "main" }, { name: "db" });
  expect(chooseAgent(workspace, "db").name).toBe("db");
  expect(() => chooseAgent(workspace, undefined)).toThrow("pass ada/demo.main or ada/demo.db");
  expect(() => chooseAgent(workspace, "web")).toThrow('no agent "web", wanted one of main, db');
});

it("refuses a workspace without agents", () => {
  expect(() => chooseAgent(workspaceWith(), undefined)).toThrow("ada/demo has no agents");
});
