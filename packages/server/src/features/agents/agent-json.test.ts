import { WorkspaceAgent } from "@slipway/api/agents/agent";
import { describe, expect, it } from "vitest";

import { createValidator } from "../../platform/fields/validation.ts";
import { agentJson, readEnvironment, subdomainName } from "./agent-json.ts";
import type { AgentWithParts, AppRow, ScriptRow } from "./queries.ts";

const id = "0f8fad5b-d9cb-469f-a165-70867728950e";
const at = "2026-07-24T05:20:02Z";
const now = Date.parse(at) + 1000;

const row: AgentWithParts = {
  id,
  parent_id: null,
  resource_id: id,
  name: "main",
  architecture: "amd64",
  operating_system: "linux",
  environment_variables: {},
  auth_instance_id: null,
  directory: "",
  expanded_directory: "",
  troubleshooting_url: "",
  connection_timeout_seconds: 120,
  display_apps: [],
  version: "",
  api_version: "",
  subsystems: [],
  lifecycle_state: "created",
  end_detail: null,
  started_at: null,
  ready_at: null,
  first_connected_at: null,
  last_connected_at: null,
  disconnected_at: null,
  created_at: at,
  updated_at: at,
  logs_length: null,
  overflowed: null,
  latency: null,
  apps: [],
  scripts: [],
  log_sources: [],
};

const script: ScriptRow = {
  id,
  workspace_agent_id: id,
  position: 0,
  log_source_id: id,
  log_path: "",
  script: "true",
  cron: "",
  run_on_start: true,
  run_on_stop: false,
  start_blocks_login: false,
  timeout_seconds: 3,
  display_name: "Start",
  exit_code: null,
  status: null,
};

const app: AppRow = {
  id,
  workspace_agent_id: id,
  position: 0,
  slug: "web",
  display_name: "",
  url: "",
  command: "",
  icon: "",
  external: false,
  subdomain: true,
  sharing_level: "owner",
  healthcheck_url: "",
  healthcheck_interval_seconds: 0,
  healthcheck_threshold: 0,
  health: "disabled",
  app_group: "",
  hidden: false,
  open_in: "slim-window",
  tooltip: "",
  statuses: [],
};

const place = { workspaceId: id, workspaceName: "dev", ownerName: "ann" };

describe("agentJson", () => {
  it("leaves out what never was, and writes lists that are empty", () => {
    const json = agentJson(row, place, now);
    expect(Object.keys(json).filter((key) => key.endsWith("_at"))).toEqual([
      "created_at",
      "updated_at",
    ]);
    expect(json).not.toHaveProperty("directory");
    expect(json).not.toHaveProperty("expanded_directory");
    expect(json).toMatchObject({
      parent_id: null,
      status: "connecting",
      health: { healthy: false, reason: "agent has not yet connected" },
      apps: [],
      scripts: [],
      log_sources: [],
      subsystems: [],
      display_apps: [],
      environment_variables: {},
      logs_length: 0,
      logs_overflowed: false,
      startup_script_behavior: "non-blocking",
    });
  });

  it("fits the contract, with everything there is", () => {
    const full = agentJson(
      {
        ...row,
        directory: "~",
        expanded_directory: "/home/ann",
        environment_variables: { A: "1" },
        first_connected_at: at,
        last_connected_at: at,
        started_at: at,
        ready_at: at,
        lifecycle_state: "ready",
        logs_length: 12,
        overflowed: true,
        subsystems: ["envbox"],
        display_apps: ["vscode"],
        apps: [
          {
            ...app,
            display_name: "Web",
            url: "http://localhost",
            tooltip: "t",
            statuses: [{ id, created_at: at, state: "idle", message: "m", uri: "" }],
          },
        ],
        scripts: [{ ...script, exit_code: 0, status: "ok", start_blocks_login: true }],
        log_sources: [
          { id, workspace_agent_id: id, display_name: "Start", icon: "", created_at: at },
        ],
      },
      place,
      now,
    );
    const check = createValidator().compile(WorkspaceAgent);
    check(full);
    expect(check.errors ?? []).toEqual([]);
    expect(full).toMatchObject({
      status: "connected",
      health: { healthy: true },
      ready_at: at,
      logs_length: 12,
      logs_overflowed: true,
      startup_script_behavior: "blocking",
      scripts: [{ timeout: 3_000_000_000, exit_code: 0, status: "ok" }],
      apps: [{ subdomain_name: "web--dev--ann", statuses: [{ state: "idle", icon: "" }] }],
    });
  });

  it("gives an app of a version, which has no workspace, no subdomain", () => {
    const nowhere = { ...place, workspaceName: "" };
    const [planned] = agentJson({ ...row, apps: [app] }, nowhere, now).apps;
    expect(planned).toMatchObject({ subdomain: true });
    expect(planned).not.toHaveProperty("subdomain_name");
  });

  it("blocks a log-in only for a script that runs at the start", () => {
    const later = { ...script, run_on_start: false, run_on_stop: true, start_blocks_login: true };
    const json = agentJson({ ...row, scripts: [later] }, place, now);
    expect(json.startup_script_behavior).toBe("non-blocking");
  });

  it("reports an agent that is not heard of as gone since then", () => {
    const silent = { ...row, first_connected_at: at, last_connected_at: at };
    const json = agentJson(silent, place, now + 60_000);
    expect(json).toMatchObject({ status: "disconnected", disconnected_at: at });
  });
});

describe("readEnvironment", () => {
  it("reads an object of strings, and anything else as well as it can", () => {
    expect(readEnvironment({ A: "1", B: 2 })).toEqual({ A: "1", B: "2" });
    expect(readEnvironment(null)).toEqual({});
    expect(readEnvironment("text")).toEqual({});
  });
});

describe("subdomainName", () => {
  it.each([
    ["web", "web--dev--ann"],
    ["8080", "8080--main--dev--ann"],
    ["8080s", "8080s--main--dev--ann"],
    ["80", "80--dev--ann"],
    ["800000", "800000--dev--ann"],
  ])("names the app %s", (slug, name) => {
    expect(subdomainName(slug, "main", place)).toBe(name);
  });
});
