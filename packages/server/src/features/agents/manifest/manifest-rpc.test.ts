import { ManifestSchema } from "@slipway/wire/protobuf/gen/agent_pb";
import { createMessage, encodeMessage, parseMessage } from "@slipway/wire/protobuf/message";
import { expect, it } from "vitest";

import { relayMap } from "./derp-map.ts";
import { type ManifestRow, manifestOf } from "./manifest-rpc.ts";

const id = "f3a1c2d4-5e6f-4a7b-8c9d-0e1f2a3b4c5d";

const row: ManifestRow = {
  id,
  parent_id: null,
  name: "main",
  environment_variables: { A: "1" },
  directory: "~/code",
  motd_file: "/etc/motd",
  workspace_id: id,
  workspace_name: "dev",
  owner_name: "ann",
  scripts: [
    {
      id,
      log_source_id: id,
      log_path: "",
      script: "true",
      cron: "",
      run_on_start: true,
      run_on_stop: false,
      start_blocks_login: false,
      timeout_seconds: 0,
      display_name: "Start",
      devcontainer: null,
    },
  ],
  apps: [
    {
      id,
      url: "",
      external: false,
      slug: "web",
      display_name: "",
      command: "",
      icon: "",
      subdomain: false,
      sharing_level: "organization",
      healthcheck_url: "",
      healthcheck_interval_seconds: 0,
      healthcheck_threshold: 0,
      health: "disabled",
      hidden: false,
    },
  ],
  metadata: [
    { key: "cpu", display_name: "CPU", script: "cpu", interval_seconds: 10, timeout_seconds: 1 },
  ],
};

const map = relayMap("http://h:1", undefined);

it("sends what a stock agent crashes without", () => {
  const manifest = parseMessage(
    ManifestSchema,
    encodeMessage(ManifestSchema, manifestOf(row, map)),
  );
  expect(manifest.derpMap?.homeParams).toBeDefined();
  expect(manifest.agentId).toHaveLength(16);
  expect(manifest.workspaceId).toHaveLength(16);
  expect(manifest.scripts[0]).toMatchObject({
    timeout: { seconds: 0n, nanos: 0 },
    displayName: "Start",
  });
  expect(manifest.apps[0]).toMatchObject({
    sharingLevel: 4,
    health: 1,
    healthcheck: { interval: { seconds: 0n }, threshold: 0 },
  });
});

it("gives a dev container the id of its script, by which agents find its log", () => {
  const devcontainer = { name: "site", workspace_folder: "~/site", config_path: "" };
  const { scripts = [], devcontainers = [] } = manifestOf(
    { ...row, scripts: row.scripts.map((script) => ({ ...script, devcontainer })) },
    map,
  );
  expect(devcontainers).toEqual([
    { id: scripts[0]?.id, name: "site", workspaceFolder: "~/site", configPath: "" },
  ]);
});

it("puts the seconds of metadata where nanoseconds belong", () => {
  expect(manifestOf(row, map).metadata).toMatchObject([
    { interval: { seconds: 0n, nanos: 10 }, timeout: { seconds: 0n, nanos: 1 } },
  ]);
});

it("names a parent for sub-agents only", () => {
  const parentId = (parent: string | null): unknown =>
    createMessage(ManifestSchema, manifestOf({ ...row, parent_id: parent }, map)).parentId;
  expect(parentId(null)).toBeUndefined();
  expect(parentId(id)).toHaveLength(16);
});
