import { encodeUuid } from "@slipway/wire/bytes/uuid";
import {
  ManifestSchema,
  WorkspaceAgentMetadata_DescriptionSchema,
  WorkspaceApp_Health,
} from "@slipway/wire/protobuf/gen/agent_pb";
import { createMessage, parseMessage } from "@slipway/wire/protobuf/message";
import { metadataDuration } from "@slipway/wire/protobuf/time";
import { describe, expect, it } from "vitest";

import { readManifest } from "./manifest.ts";

const id = "00112233-4455-6677-8899-aabbccddeeff";
const bytes = encodeUuid(id);
const context = { home: "/home/u", environment: { BASE: "/srv" } };
const least = { agentId: bytes, workspaceId: bytes };

describe("readManifest", () => {
  it("reads nanoseconds of metadata as seconds", () => {
    // The check vector of docs/protocol/rpc.md §4: key cpu, interval 10 s, timeout 1 s.
    const description = parseMessage(
      WorkspaceAgentMetadata_DescriptionSchema,
      Buffer.from("12036370752202100a2a021001", "hex"),
    );
    const manifest = readManifest(
      createMessage(ManifestSchema, { ...least, metadata: [description] }),
      context,
    );
    expect(manifest.metadata).toEqual([
      { key: "cpu", script: "", intervalSeconds: 10, timeoutSeconds: 1 },
    ]);
    expect(metadataDuration(10).nanos).toBe(10);
  });

  it("expands the directory and the paths of secrets", () => {
    const value = new TextEncoder().encode("s3cret");
    const { workspace, secretFiles } = readManifest(
      createMessage(ManifestSchema, {
        ...least,
        directory: "$BASE/project",
        secrets: [
          { envName: "TOKEN", value },
          { filePath: "~/.token", value },
          { envName: "NUL", value: new Uint8Array([0]) },
        ],
      }),
      context,
    );
    expect(workspace.directory).toBe("/srv/project");
    expect(workspace.secrets).toEqual({ TOKEN: "s3cret" });
    expect(secretFiles).toEqual([{ path: "/home/u/.token", content: value }]);
    const empty = readManifest(createMessage(ManifestSchema, least), context);
    expect(empty.workspace.directory).toBe("");
  });

  it("expands the folders of dev containers, and their configurations below them", () => {
    const { devcontainers } = readManifest(
      createMessage(ManifestSchema, {
        ...least,
        devcontainers: [
          { id: bytes, name: "a", workspaceFolder: "~/a", configPath: "x.json" },
          { id: bytes, name: "b", workspaceFolder: "$BASE/b", configPath: "~/y.json" },
          { id: bytes, name: "c", workspaceFolder: "c", subagentId: bytes },
        ],
      }),
      context,
    );
    expect(devcontainers).toEqual([
      { id, name: "a", folder: "/home/u/a", configPath: "/home/u/a/x.json", subAgentId: undefined },
      { id, name: "b", folder: "/srv/b", configPath: "/home/u/y.json", subAgentId: undefined },
      { id, name: "c", folder: "/home/u/c", configPath: undefined, subAgentId: id },
    ]);
  });

  it("takes a timeout of zero as none, and a schedule as it stands", () => {
    const { scripts } = readManifest(
      createMessage(ManifestSchema, {
        ...least,
        scripts: [
          { id: bytes, logSourceId: bytes, script: "true", cron: "x", timeout: { seconds: 0n } },
          { id: bytes, logSourceId: bytes, runOnStop: true, timeout: { seconds: 2n } },
        ],
      }),
      context,
    );
    expect(scripts.map(({ timeoutMs }) => timeoutMs)).toEqual([undefined, 2_000]);
    expect(scripts[0]?.cron).toBe("x");
  });

  it("leaves out applications that nobody checks", () => {
    const healthcheck = { url: "http://localhost", interval: { seconds: 5n }, threshold: 3 };
    const health = WorkspaceApp_Health.INITIALIZING;
    const { apps } = readManifest(
      createMessage(ManifestSchema, {
        ...least,
        apps: [
          { id: bytes, health, healthcheck },
          { id: bytes, health: WorkspaceApp_Health.DISABLED, healthcheck },
          { id: bytes, health, healthcheck: { ...healthcheck, url: "" } },
          { id: bytes, health, healthcheck: { ...healthcheck, threshold: 0 } },
          { id: bytes, health },
        ],
      }),
      context,
    );
    expect(apps).toEqual([
      { id, url: "http://localhost", intervalMs: 5_000, threshold: 3, health: "initializing" },
    ]);
  });

  it("refuses ids that are none", () => {
    const read = (fields: object): unknown =>
      readManifest(createMessage(ManifestSchema, { ...least, ...fields }), context);
    expect(() => read({ agentId: new Uint8Array(16) })).toThrow("all zeros");
    expect(() => read({ agentId: new Uint8Array(15) })).toThrow("invalid agent_id in the manifest");
    expect(() => read({ scripts: [{ id: bytes }] })).toThrow("log_source_id of a script");
  });
});
