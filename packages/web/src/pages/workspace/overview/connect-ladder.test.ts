import type { WorkspaceAgent } from "@slipway/api/agents/agent";
import type { WorkspaceResource } from "@slipway/api/builds/resource";
import type { ProvisionerJob } from "@slipway/api/jobs/job";
import { expect, it } from "vitest";

import { type AgentReach, connectLadder, failingRung } from "./connect-ladder.ts";

const time = "2026-11-30T12:00:00Z";
const id = "00000000-0000-4000-8000-000000000000";

function ladder(
  agent: Partial<WorkspaceAgent>,
  {
    job = {},
    isExternal = false,
    hasContact = true,
    reach = { kind: "reached" },
  }: {
    readonly job?: Partial<ProvisionerJob>;
    readonly isExternal?: boolean;
    readonly hasContact?: boolean;
    readonly reach?: AgentReach;
  } = {},
) {
  return connectLadder({
    build: {
      status: "running",
      job: { ...succeeded, ...job },
      resources: [
        place("terraform_data", other),
        place("coder_external_agent", isExternal ? id : other),
      ],
    },
    agent: { ...untouched, ...(hasContact ? { first_connected_at: time } : {}), ...agent },
    reach,
    serverUrl: "https://slipway.example.com",
  });
}

const other = "00000000-0000-4000-8000-000000000001";

function place(type: string, placeId: string): WorkspaceResource {
  return {
    id: placeId,
    created_at: time,
    job_id: id,
    workspace_transition: "start",
    type,
    name: "main",
    hide: false,
    icon: "",
    agents: [],
    metadata: [],
    daily_cost: 0,
  };
}

const succeeded: ProvisionerJob = {
  id,
  created_at: time,
  status: "succeeded",
  file_id: id,
  tags: {},
  queue_position: 0,
  queue_size: 0,
  organization_id: id,
  initiator_id: id,
  input: {},
  type: "workspace_build",
  metadata: {
    template_version_name: "v",
    template_id: id,
    template_name: "t",
    template_display_name: "",
    template_icon: "",
  },
  logs_overflowed: false,
};

const untouched: WorkspaceAgent = {
  id,
  parent_id: null,
  created_at: time,
  updated_at: time,
  status: "connected",
  lifecycle_state: "ready",
  name: "main",
  resource_id: id,
  architecture: "amd64",
  environment_variables: {},
  operating_system: "linux",
  logs_length: 0,
  logs_overflowed: false,
  version: "1",
  api_version: "2.10",
  apps: [],
  connection_timeout_seconds: 120,
  troubleshooting_url: "",
  subsystems: [],
  health: { healthy: true },
  display_apps: [],
  log_sources: [],
  scripts: [],
  startup_script_behavior: "blocking",
};

it("holds for an agent that is reached", () => {
  expect(ladder({}).map(({ state }) => state)).toEqual(Array(5).fill("good"));
  expect(failingRung(ladder({}))).toBeUndefined();
});

it.each([
  [
    "Build",
    ladder({ status: "connecting" }, { job: { status: "running" }, hasContact: false }),
    "running",
  ],
  ["Build", ladder({}, { job: { status: "failed", error: "no image" } }), "no image"],
  ["First contact", ladder({ status: "timeout" }, { hasContact: false }), "within 120 s"],
  ["Connection", ladder({ status: "disconnected" }), "the connection broke"],
  ["Start scripts", ladder({ lifecycle_state: "start_error" }), "A start script failed"],
  ["Network", ladder({}, { reach: { kind: "failed", reason: "no relay" } }), "no relay"],
])("stops at %s", (name, rungs, text) => {
  const failing = failingRung(rungs);
  expect(failing).toMatchObject({ name });
  expect(failing?.text).toContain(text);
});

it("knows nothing above the step that fails", () => {
  const rungs = ladder({ status: "disconnected", lifecycle_state: "starting" });
  expect(rungs.map(({ state }) => state)).toEqual(["good", "good", "bad", "unknown", "unknown"]);
});

it("looks at the network although a script failed", () => {
  const rungs = ladder({ lifecycle_state: "start_error" });
  expect(rungs.at(-1)).toMatchObject({ name: "Network", state: "good" });
});

it("tells how to start an agent that a person starts", () => {
  const rungs = ladder({ status: "connecting" }, { isExternal: true, hasContact: false });
  expect(failingRung(rungs)?.fix).toContain("Start the agent");
});

it("repeats why a driver says that the agent ended", () => {
  const rungs = ladder({
    status: "disconnected",
    lifecycle_state: "off",
    health: { healthy: false, reason: "agent is not running: out of memory" },
  });
  expect(failingRung(rungs)?.text).toBe("The agent is not running: out of memory.");
});
