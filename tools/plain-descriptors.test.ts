import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import * as socketFile from "@slipway/wire/protobuf/gen/agent-socket_pb";
import * as agentFile from "@slipway/wire/protobuf/gen/agent_pb";
import * as tailnetFile from "@slipway/wire/protobuf/gen/tailnet_pb";
import * as messages from "@slipway/wire/protobuf/message";
import { build } from "esbuild";
import { beforeAll, expect, it } from "vitest";

import { plainDescriptors } from "./plain-descriptors.ts";

const sources = { ...socketFile, ...agentFile, ...tailnetFile, ...messages };
/** The same modules in a bundle. */
let bundled: typeof sources;
let text: string;

beforeAll(async () => {
  const names = ["gen/agent-socket_pb", "gen/agent_pb", "gen/tailnet_pb", "message"];
  const { outputFiles } = await build({
    stdin: {
      contents: names.map((name) => `export * from "@slipway/wire/protobuf/${name}";`).join("\n"),
      resolveDir: fileURLToPath(new URL("../packages/rpc", import.meta.url)),
    },
    bundle: true,
    write: false,
    platform: "node",
    format: "cjs",
    conditions: ["@slipway/source"],
    plugins: [plainDescriptors],
  });
  text = outputFiles[0]?.text ?? "";
  const directory = await mkdtemp(join(tmpdir(), "slipway-descriptors-"));
  const path = join(directory, "bundle.cjs");
  await writeFile(path, text);
  bundled = createRequire(import.meta.url)(path);
  return () => rm(directory, { recursive: true });
});

/** Returns own fields and those of the prototype, which are the defaults. */
function withDefaults(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withDefaults);
  if (typeof value !== "object" || value === null) return value;
  const own = Object.entries(value).map(([name, field]) => [name, withDefaults(field)]);
  return { own: Object.fromEntries(own), defaults: { ...Object.getPrototypeOf(value) } };
}

it.each(["file_agent_socket", "file_agent", "file_tailnet"] as const)(
  "makes the same descriptor of %s",
  (name) => {
    const wanted = sources[name];
    expect(withDefaults(bundled[name].proto)).toEqual(withDefaults(wanted.proto));
    expect(bundled[name].messages.map(({ typeName }) => typeName)).toEqual(
      wanted.messages.map(({ typeName }) => typeName),
    );
    expect(bundled[name].dependencies.map((file) => file.name)).toEqual(
      wanted.dependencies.map((file) => file.name),
    );
  },
);

it("encodes and parses the same messages", () => {
  const fields = {
    agentName: "main",
    // Optional, a message with a time, a list and a map.
    parentId: Uint8Array.of(1, 2),
    scripts: [{ id: Uint8Array.of(3), script: "true", timeout: { seconds: 5n, nanos: 0 } }],
    environmentVariables: { A: "b" },
  };
  const bytes = sources.encodeMessage(sources.ManifestSchema, fields);
  expect(bundled.encodeMessage(bundled.ManifestSchema, fields)).toEqual(bytes);
  const parsed = bundled.parseMessage(bundled.ManifestSchema, bytes);
  expect({ ...parsed }).toEqual({ ...sources.parseMessage(sources.ManifestSchema, bytes) });
});

it("leaves the descriptor of descriptors out", () => {
  expect(text).toContain("coder.agent.v2");
  expect(text).not.toContain("google/protobuf/descriptor.proto");
});
