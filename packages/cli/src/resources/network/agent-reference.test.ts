import type { WorkspaceAgent } from "@slipway/api/agents/agent";
import type { Workspace } from "@slipway/api/workspaces/workspace";
import { expect, it } from "vitest";

import {
  sampleAgent,
  sampleBuild,
  sampleWorkspace,
} from "../../../tests/support/sample-workspace.ts";
import { chooseAgent, readAgentReference, readHost } from "./agent-reference.ts";

const id = "0190a1b2-0000-7000-8000-000000000001";

it.each([
  ["demo", "demo", undefined],
  ["demo.main", "demo", "main"],
  ["ada/demo", "ada/demo", undefined],
  ["ada/demo.main_2", "ada/demo", "main_2"],
  [id, id, undefined],
  [`${id}.main`, id, "main"],
])("reads %s", (text, workspace, agent) => {
  expect(readAgentReference(text)).toEqual({ workspace, agent });
});

it.each([
  ["demo", "demo", undefined],
  ["demo.main", "demo", "main"],
  ["ada/demo", "ada/demo", undefined],
  ["ada--demo", "ada/demo", undefined],
  ["ada/demo.main", "ada/demo", "main"],
  ["ada--demo--main", "ada/demo", "main"],
  ["ada--demo.main", "ada/demo", "main"],
  ["main.demo.ada", "ada/demo", "main"],
  [id, id, undefined],
])("reads the host %s", (text, workspace, agent) => {
  expect(readHost(text, { prefix: undefined, suffix: undefined })).toEqual({ workspace, agent });
});

it.each([
  ["coder.ada--demo", "coder.", undefined, "ada/demo", undefined],
  ["demo.coder", undefined, "coder", "demo", undefined],
  ["main.demo.ada.coder", undefined, "coder", "ada/demo", "main"],
  // The prefix takes precedence.
  ["coder.demo.coder", "coder.", "coder", "demo", "coder"],
  ["demo", "", "", "demo", undefined],
])(
  "reads the host %s with the prefix %s and suffix %s",
  (text, prefix, suffix, workspace, agent) => {
    expect(readHost(text, { prefix, suffix })).toEqual({ workspace, agent });
  },
);

it.each(["demo.", "demo.a b", "a.b.c", "demo.main.x"])("refuses %j", (text) => {
  expect(() => readAgentReference(text)).toThrow("wanted [owner/]workspace[.agent]");
});

it.each(["a/b/c/d", "a.b.c.d", "demo.a b"])("refuses the host %j", (text) => {
  expect(() => readHost(text, { prefix: undefined, suffix: undefined })).toThrow(
    "wanted [owner/]workspace[.agent]",
  );
});

it.each(["", "-", "a b", "/demo"])("refuses the workspace of %j", (text) => {
  expect(() => readAgentReference(text)).toThrow("is not a workspace");
  expect(() => readHost(text, { prefix: undefined, suffix: undefined })).toThrow(
    "is not a workspace",
  );
});

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
