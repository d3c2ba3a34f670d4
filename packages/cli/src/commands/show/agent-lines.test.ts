import { expect, it } from "vitest";

import {
  sampleAgent,
  sampleApp,
  sampleBuild,
  sampleWorkspace,
} from "../../../tests/support/sample-workspace.ts";
import { noColors } from "../../terminal/colors.ts";
import { endText, parameterLines, workspaceLines } from "../show.ts";
import { agentLines } from "./agent-lines.ts";

const layout = { colors: noColors, columns: undefined };
const unknown = { metadata: undefined, place: undefined, devcontainers: [], end: undefined };

const script = {
  id: sampleAgent.id,
  log_source_id: sampleAgent.id,
  log_path: "",
  script: "",
  cron: "",
  run_on_start: true,
  run_on_stop: false,
  start_blocks_login: true,
  timeout: 0,
  display_name: "Prepare",
};

it("shows an agent with its values and scripts", () => {
  const agent = {
    ...sampleAgent,
    scripts: [
      { ...script, status: "exit_failure" as const, exit_code: 7 },
      { ...script, display_name: "Tidy", run_on_start: false, cron: "0 3 * * *" },
      { ...script, display_name: "Database", run_on_start: false, status: "ok" as const },
    ],
  };
  const item = {
    result: { collected_at: sampleAgent.created_at, age: 0, value: "0.5\n", error: "" },
    description: { display_name: "Load", key: "load", script: "", interval: 1, timeout: 1 },
  };
  expect(agentLines(agent, { ...unknown, metadata: [item] }, layout)).toEqual([
    "Agent main  connected, ready  v0.1.0, linux/amd64",
    "",
    "  VALUE",
    "  Load   0.5",
    "",
    "  SCRIPT    RUNS         RESULT",
    "  Prepare   start        failed with exit code 7",
    "  Tidy      0 3 * * *    -",
    "  Database  after start  ok",
  ]);
});

it("shows the relay that an agent prefers", () => {
  const latency = {
    Far: { latency_ms: 120.4, preferred: false },
    Near: { latency_ms: 3.2, preferred: true },
  };
  expect(agentLines({ ...sampleAgent, latency }, unknown, layout)).toContain(
    "  relay Near, 3.20 ms",
  );
  expect(agentLines(sampleAgent, unknown, layout).join("\n")).not.toContain("relay");
});

it("shows why an agent is not healthy", () => {
  const agent = { ...sampleAgent, health: { healthy: false, reason: "agent has lost connection" } };
  expect(agentLines(agent, { ...unknown, end: "ended just now" }, layout).slice(1)).toEqual([
    "  agent has lost connection",
    "  ended just now",
  ]);
});

it("shows when an agent ended outside of a build, and what to do", () => {
  const now = Date.parse("2026-01-01T12:00:00Z");
  const ended = {
    ...sampleAgent,
    status: "disconnected" as const,
    lifecycle_state: "off" as const,
    disconnected_at: "2026-01-01T11:57:00Z",
  };
  const running = {
    ...sampleWorkspace,
    latest_build: { ...sampleBuild, status: "running" as const },
  };
  expect(endText(running, ended, now)).toBe(
    "ended 3 minutes ago; start it again with: slipway restart ada/demo",
  );
  expect(endText(running, { ...ended, lifecycle_state: "ready" }, now)).toBeUndefined();
  const stopped = { ...sampleBuild, status: "stopped" as const };
  expect(endText({ ...running, latest_build: stopped }, ended, now)).toBeUndefined();
});

it("shows a workspace and why its build failed", () => {
  const job = { ...sampleBuild.job, status: "failed" as const, error: "no disk" };
  const workspace = {
    ...sampleWorkspace,
    latest_build: { ...sampleBuild, status: "failed" as const, job },
  };
  expect(workspaceLines(workspace, Date.parse("2026-01-01T00:05:00Z"), layout)).toEqual([
    "ada/demo  failed",
    `Id        ${workspace.id}`,
    "Template  small, version v1",
    "Build     3: start by ada, 5 minutes ago",
    "Error     no disk",
  ]);
});

it("shows when a workspace starts and stops automatically, and its parameters", () => {
  const workspace = {
    ...sampleWorkspace,
    autostart_schedule: "CRON_TZ=UTC 30 9 * * mon-fri",
    next_start_at: "2026-01-02T09:30:00Z",
    ttl_ms: 28_800_000,
    latest_build: { ...sampleBuild, deadline: "2026-01-01T08:05:00Z" },
  };
  expect(workspaceLines(workspace, Date.parse("2026-01-01T00:05:00Z"), layout).slice(4)).toEqual([
    "Starts    9:30 Mon-Fri (UTC), next in 1 day",
    "Stops     8h after a start, next in 8 hours",
  ]);
  const sandbox = { ...workspace, autostart_schedule: null, on_deadline: "delete" as const };
  expect(workspaceLines(sandbox, Date.parse("2026-01-01T00:05:00Z"), layout).at(-1)).toBe(
    "Deletion  8h after a start, next in 8 hours",
  );
  expect(parameterLines([{ name: "size", value: "large" }], layout)).toEqual([
    "",
    "  PARAMETER  VALUE",
    "  size       large",
  ]);
  expect(parameterLines([], layout)).toEqual([]);
});

it("shows the newest status of each app that reports one, which cannot control the terminal", () => {
  const app = {
    id: sampleAgent.id,
    external: false,
    slug: "bot",
    subdomain: false,
    sharing_level: "owner" as const,
    healthcheck: { url: "", interval: 0, threshold: 0 },
    health: "disabled" as const,
    hidden: true,
    open_in: "tab" as const,
  };
  const status = {
    id: sampleAgent.id,
    created_at: "2026-01-01T00:00:00Z",
    workspace_id: sampleAgent.id,
    agent_id: sampleAgent.id,
    app_id: sampleAgent.id,
    state: "working" as const,
    message: "running \u001b[2Jtests\r\nnow",
    uri: "https://x.example/1",
    needs_user_attention: false,
    icon: "",
  };
  const older = { ...status, state: "failure" as const, message: "older" };
  const apps = [
    { ...app, statuses: [status, older] },
    { ...app, slug: "web", statuses: [] },
  ];
  const lines = agentLines({ ...sampleAgent, apps }, unknown, layout).slice(2);
  for (const text of ["\u001b", "\r", "older"]) expect(lines.join("\n")).not.toContain(text);
  expect(lines[0]).toMatch(/^  APP  REPORTS/);
  expect(lines[1]).toMatch(/^  bot  working  running .*tests.*now +https:\/\/x\.example\/1$/);
});

it("shows the apps of an agent: how they are, who may open them, and where", () => {
  const subdomain = { subdomain: true, subdomain_name: "api--demo--ada" };
  const agent = {
    ...sampleAgent,
    apps: [
      sampleApp,
      {
        ...sampleApp,
        slug: "api",
        health: "unhealthy" as const,
        sharing_level: "public" as const,
        ...subdomain,
      },
      { ...sampleApp, slug: "top", url: "", command: "htop" },
      { ...sampleApp, slug: "secret", hidden: true },
    ],
  };
  const region = { path_app_url: "https://x.example", wildcard_hostname: "*.apps.example" };
  const place = { workspace: sampleWorkspace, region };
  expect(agentLines(agent, { ...unknown, place }, layout).slice(2)).toEqual([
    "  APP  HEALTH     SHARED  URL",
    "  web  -          owner   https://x.example/@ada/demo.main/apps/web/",
    "  api  unhealthy  public  https://api--demo--ada.apps.example/",
    "  top  -          owner   htop",
  ]);
  expect(agentLines(agent, unknown, layout)[3]).toBe(
    "  web  -          owner   http://localhost:8080",
  );
});

it("shows the dev containers beside an agent, with their agents and faults", () => {
  const site = {
    id: sampleAgent.id,
    name: "site",
    workspace_folder: "/home/ada/site",
    subagent_id: null,
    status: "running" as const,
    dirty: true,
    agent: { id: sampleAgent.id, name: "front", directory: "/workspaces/site" },
  };
  const broken = { ...site, name: "api", status: "error" as const, dirty: false };
  const { agent: _, ...without } = broken;
  const devcontainers = [site, { ...without, error: "no\u001b[2J disk" }];
  expect(agentLines(sampleAgent, { ...unknown, devcontainers }, layout).slice(2)).toEqual([
    "  DEV CONTAINER  STATUS                          AGENT  FOLDER",
    "  site           running, configuration changed  front  /home/ada/site",
    "  api            error, no disk                  -      /home/ada/site",
  ]);
});
