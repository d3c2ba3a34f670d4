import { externalAgentType } from "@slipway/template";
import { expect, it } from "vitest";

import { sampleAgent, sampleBuild } from "../../../tests/support/sample-workspace.ts";
import { isStartedByPerson } from "./agents.ts";

const { id: job_id, created_at } = sampleBuild;
const empty = {
  created_at,
  job_id,
  workspace_transition: "start" as const,
  hide: false,
  icon: "",
  agents: [],
  metadata: [],
  daily_cost: 0,
};
const build = {
  resources: [
    { ...empty, id: "desk", type: externalAgentType, name: "desk" },
    { ...empty, id: "box", type: "docker_container", name: "box" },
  ],
};

it.each([
  ["waits for the person who starts it", { resource_id: "desk" }, true],
  ["is connected", { resource_id: "desk", status: "connected" }, false],
  ["is inside another", { resource_id: "desk", parent_id: "main" }, false],
  ["is started by its machine", { resource_id: "box" }, false],
] as const)("tells that an agent %s", (_what, fields, expected) => {
  const agent = { ...sampleAgent, status: "connecting" as const, parent_id: null, ...fields };
  expect(isStartedByPerson(build, agent)).toBe(expected);
});
