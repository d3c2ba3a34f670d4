import { describe, expect, it } from "vitest";

import { layers } from "../layers.ts";
import { importRules, outsideRules } from "./import-rules.ts";
import type { FileKind } from "./import-rules.ts";

/**
 * Reports whether an import from `place` is refused; a place is like `server/builds`, or `wire` for the top of its
 * sources.
 */
function refuses(place: string, specifier: string, kind: FileKind = "source"): boolean {
  const [name, ...path] = place.split("/");
  const layer = layers.find((candidate) => candidate.name === name);
  if (layer === undefined) throw new Error(`no package ${place} in layers.ts`);
  const folder = path.length === 0 ? undefined : path.join("/");
  return importRules(layer, folder, kind).some(({ regex }) => new RegExp(regex).test(specifier));
}

describe("importRules", () => {
  it.each([
    ["server", "@slipway/wire"],
    ["server", "@slipway/wire/yamux/session"],
    ["server/features/users", "@slipway/api"],
    ["web/pages", "@slipway/sdk/http"],
    ["cli/commands/server", "@slipway/server"],
    ["server/features/users", "ajv/dist/2020.js"],
  ])("lets %s import %s", (place, specifier) => {
    expect(refuses(place, specifier)).toBe(false);
  });

  it.each([
    ["wire", "@slipway/runtime"],
    ["server", "@slipway/sdk"],
    ["server", "@slipway/sdk/http"],
    ["runtime", "@slipway/wire/bytes/hex"],
    ["sdk/browser", "@slipway/tailnet/node/udp-socket"],
    ["server", "@slipway/testkit"],
    ["web/pages", "@slipway/sdk"],
    ["web/pages", "@slipway/sdk/agent"],
    ["cli/commands", "@slipway/server"],
    ["cli/commands/agent", "@slipway/server"],
    ["server", "@slipway/server"],
  ])("refuses that %s imports %s", (place, specifier) => {
    expect(refuses(place, specifier)).toBe(true);
  });

  it("refuses another package by path, and its sources by name", () => {
    expect(refuses("server/features/users", "../../../../wire/src/index.ts")).toBe(true);
    expect(refuses("server/features/users", "../../../../wire/package.json")).toBe(true);
    expect(refuses("server", "@slipway/wire/dist/index.js")).toBe(true);
    expect(refuses("server", "../tests/world.ts", "test")).toBe(false);
    expect(refuses("server", "../src/features/users/queries.ts", "test")).toBe(false);
    expect(refuses("server", "../../wire/src/index.ts", "test")).toBe(true);
  });

  it("refuses the folders beside the packages, and in sources the entries for tests", () => {
    expect(refuses("server/features/users", "../../../../../tools/check.ts")).toBe(true);
    expect(refuses("server", "../../../bench/report.ts", "test")).toBe(true);
    expect(refuses("server", "@slipway/agent/testing")).toBe(true);
    expect(refuses("agent", "@slipway/agent/testing", "test")).toBe(false);
  });

  it("lets a folder have the name of a package", () => {
    expect(refuses("server/features/agents/rpc", "../identity/identity-service.ts")).toBe(false);
    expect(refuses("cli/commands", "../server/run.ts")).toBe(false);
  });

  it("lets a folder import those below it, never those above", () => {
    expect(refuses("server/platform/db", "../config/config.ts")).toBe(false);
    expect(refuses("server/platform/db", "./pool.ts")).toBe(false);
    expect(refuses("server/platform/db", "../errors.ts")).toBe(false);
    expect(refuses("server/platform/db", "../http/errors.ts")).toBe(true);
    expect(refuses("server/platform/db", "../../features/users/service.ts")).toBe(true);
    expect(refuses("server/platform/db", "../../main/main.ts")).toBe(true);
    expect(refuses("server/features/prebuilds/pools", "../../builds/service.ts")).toBe(false);
    expect(refuses("server/features/prebuilds/pools", "../../schedules/service.ts")).toBe(true);
    expect(refuses("server/features/builds", "../../platform/db/database.ts")).toBe(false);
  });

  it("lets a room import those below it and the files of its folder, never those above", () => {
    expect(refuses("server/features/agents/logs", "../calls/limits.ts")).toBe(false);
    expect(refuses("server/features/agents/logs", "./log-store.ts")).toBe(false);
    expect(refuses("server/features/agents/logs", "../service.ts")).toBe(false);
    expect(refuses("server/features/agents/logs", "../rpc/handlers.ts")).toBe(true);
    expect(refuses("server/features/agents/logs", "../../workspaces/service.ts")).toBe(true);
    expect(refuses("server/features/agents", "./queries.ts")).toBe(false);
    expect(refuses("server/features/agents", "./calls/limits.ts")).toBe(true);
  });

  it("keeps the protocols of wire apart", () => {
    expect(refuses("wire/yamux", "../bytes/reader.ts")).toBe(false);
    expect(refuses("wire/yamux", "../drpc/frame.ts")).toBe(true);
    expect(refuses("wire/bytes", "../drpc/frame.ts")).toBe(true);
  });

  it("lets a feature call the services of another one, and nothing else of it", () => {
    expect(refuses("server/features/builds", "../users/service.ts")).toBe(false);
    expect(refuses("server/features/builds", "../users/token-service.ts")).toBe(false);
    expect(refuses("server/features/builds", "./queries.ts")).toBe(false);
    for (const file of [
      "queries.ts",
      "routes.ts",
      "disservice.ts",
      "service",
      "s.ts",
      "a/row.ts",
    ]) {
      expect(refuses("server/features/builds", `../users/${file}`), file).toBe(true);
    }
  });

  it("keeps internal files to their folder", () => {
    expect(refuses("server/platform/http", "./errors.ts")).toBe(false);
    expect(refuses("server/platform/auth", "../http/errors.ts")).toBe(true);
    expect(refuses("server/features/users", "../../platform/http/errors.ts")).toBe(true);
    expect(refuses("server/features/users", "../../platform/errors/errors.ts")).toBe(false);
    expect(refuses("server", "../src/platform/http/errors.ts", "test")).toBe(true);
  });

  it("refuses node: where the code runs in a browser, but not in tests", () => {
    expect(refuses("wire/bytes", "node:fs")).toBe(true);
    expect(refuses("api", "node:crypto")).toBe(true);
    expect(refuses("sdk/http", "node:http")).toBe(true);
    expect(refuses("sdk/agent", "node:http")).toBe(false);
    expect(refuses("wire/bytes", "node:fs", "test")).toBe(false);
  });

  it("leaves a package's entry to other packages", () => {
    expect(refuses("server/features/users", "../../index.ts")).toBe(true);
    expect(refuses("server/features/users", "../users/index.ts")).toBe(true);
    expect(refuses("server/features/users", "../../index.ts", "test")).toBe(false);
  });

  it("lets tests import testkit and their own package", () => {
    expect(refuses("server/features/users", "@slipway/testkit", "test")).toBe(false);
    expect(refuses("server", "@slipway/server", "test")).toBe(false);
    expect(refuses("server", "@slipway/cli", "test")).toBe(true);
  });
});

describe("outsideRules", () => {
  const isRefused = (specifier: string): boolean =>
    outsideRules.some(({ regex }) => new RegExp(regex).test(specifier));

  it.each([
    "../packages/wire/src/index.ts",
    "../../../packages/wire/src/bytes/hex.ts",
    "../packages/testkit/tests/support.ts",
    "./packages/wire/package.json",
    "@slipway/wire/src/bytes/hex.ts",
  ])("refuses %s", (specifier) => {
    expect(isRefused(specifier)).toBe(true);
  });

  it.each(["@slipway/wire", "@slipway/wire/testing", "../report.ts", "./support/quantile.ts"])(
    "lets a tool import %s",
    (specifier) => {
      expect(isRefused(specifier)).toBe(false);
    },
  );
});
