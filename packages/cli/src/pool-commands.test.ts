import type { PrebuildPool } from "@slipway/api/prebuilds/routes";
import { expect, it } from "vitest";

import { type Answer, AnsweringServer, notVisible } from "../tests/support/answering-server.ts";
import { sampleWorkspace as workspace } from "../tests/support/sample-workspace.ts";

const server = AnsweringServer.forEachTest();

it("lists the prebuild pools of the organization that is named, and otherwise all", async () => {
  const lab = "0190a1b2-0000-7000-8000-00000000000a";
  const body = [
    { template_name: "box", organization_name: "default", organization_id: `${lab}b` },
    { template_name: "rig", organization_name: "lab", organization_id: lab },
  ];
  server.answers = new Map<string, Answer>([
    ["GET /api/v2/prebuilds/pools", { status: 200, body }],
    ["GET /api/v2/organizations/la", notVisible],
  ]);
  const list = async (flags: string): Promise<string> => {
    const { terminal } = await server.run(
      `prebuilds list -c template --url ${server.url} --token t${flags}`,
    );
    return `${terminal.outText()}${terminal.errText()}`;
  };
  expect(await list("")).toBe("TEMPLATE\nbox\nrig\n");
  expect(await list(" --org LAB")).toBe("TEMPLATE\nrig\n");
  expect(await list(` -O ${lab}`)).toBe("TEMPLATE\nrig\n");
  expect(await list(" --org la")).toContain("organization la does not exist or is not visible");
  server.answers = new Map([
    ...server.answers,
    ["GET /api/v2/organizations/la", { status: 200, body: {} }],
  ]);
  expect(await list(" --org la")).toBe("no pools of organization la\n");
});

const pool = {
  organization_id: workspace.organization_id,
  organization_name: "default",
  template_id: workspace.template_id,
  template_name: "small",
  template_version_id: workspace.template_active_version_id,
  template_version_name: "v1",
  preset_id: workspace.id,
  preset_name: "quick",
  active: true,
  desired: 3,
  running: 2,
  eligible: 1,
  starting: 1,
  claimed: 7,
  status: "healthy",
  backoff_until: null,
} satisfies PrebuildPool;

it.each([
  [{}, "healthy"],
  [{ status: "hard_limited" }, "hard limited"],
  [{ status: "paused", active: false }, "not active"],
] as const)("lists the pool %j as %s", async (changes, status) => {
  const body = [{ ...pool, ...changes }];
  server.answers = new Map<string, Answer>([
    ["GET /api/v2/prebuilds/pools", { status: 200, body }],
    ["GET /api/v2/organizations/la", notVisible],
  ]);
  const table = await server.run(`prebuilds list --url ${server.url} --token t`);
  const [headings, row] = table.terminal.outText().split("\n");
  expect(headings).toBe(
    `TEMPLATE  PRESET  VERSION  ${"STATUS".padEnd(status.length)}  DESIRED  RUNNING  ELIGIBLE  STARTING  CLAIMED`,
  );
  expect(row?.split(/ {2,}/)).toEqual(["small", "quick", "v1", status, "3", "2", "1", "1", "7"]);
  const printed = await server.run(`prebuilds list -o json --url ${server.url} --token t`);
  expect(JSON.parse(printed.terminal.outText())).toEqual(body);
});

it("prints for how long a pool is backed off", async () => {
  const until = new Date(Date.now() + 150_000).toISOString();
  const body = [{ ...pool, status: "backed_off", backoff_until: until }];
  server.answers = new Map<string, Answer>([
    ["GET /api/v2/prebuilds/pools", { status: 200, body }],
    ["GET /api/v2/organizations/la", notVisible],
  ]);
  const { terminal } = await server.run(`prebuilds list -c status --url ${server.url} --token t`);
  expect(terminal.outText()).toMatch(/^STATUS\nbacked off for 1[45]\d s\n$/);
});

it.each([
  ["prebuilds pause", 200, "prebuilds are paused"],
  ["prebuilds pause", 304, "prebuilds are already paused"],
  ["prebuilds resume", 200, "prebuilds are resumed"],
  ["prebuilds resume", 304, "prebuilds are not paused"],
  ["notifications pause", 200, "notifications are paused"],
  ["notifications pause", 304, "notifications are already paused"],
  ["notifications resume", 200, "notifications are resumed"],
  ["notifications resume", 304, "notifications are not paused"],
])("%s: of %d says %s", async (words, status, text) => {
  const isPaused = words.endsWith("pause");
  const body =
    status === 304 ? undefined : { reconciliation_paused: isPaused, notifier_paused: isPaused };
  server.answers = new Map([[`PUT /api/v2/${words.split(" ")[0]}/settings`, { status, body }]]);
  const { code, terminal } = await server.run(`${words} --url ${server.url} --token t`);
  expect(terminal.errText()).toBe(`${text}\n`);
  expect(code).toBe(0);
});

it("exits with 3 for a user without the right to pause", async () => {
  const body = { message: "Forbidden.", detail: "Only owners pause." };
  server.answers = new Map([["PUT /api/v2/prebuilds/settings", { status: 403, body }]]);
  const { code, terminal } = await server.run(`prebuilds pause --url ${server.url} --token t`);
  expect(terminal.errText()).toContain("Only owners pause.");
  expect(code).toBe(3);
});
