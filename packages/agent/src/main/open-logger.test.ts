import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect, it, onTestFinished } from "vitest";

import { openLogger } from "./open-logger.ts";

it("writes nothing once it is closed, as its descriptors may be those of others by then", () => {
  const logDir = mkdtempSync(join(tmpdir(), "slipway-log-"));
  onTestFinished(() => rmSync(logDir, { recursive: true }));
  const logHuman = join(logDir, "human.log");
  const log = openLogger({ logDir, logHuman, logJson: undefined }, () => 0);
  log.logger.info({}, "in time");
  log[Symbol.dispose]();
  // Each takes the lowest free descriptor: the log's.
  const others = ["one", "two"].map((name) => join(logDir, name));
  const descriptors = others.map((path) => openSync(path, "w"));
  log.logger.info({}, "too late");
  for (const descriptor of descriptors) closeSync(descriptor);
  expect(others.map((path) => readFileSync(path, "utf8"))).toEqual(["", ""]);
  for (const path of [logHuman, join(logDir, "coder-agent.log")]) {
    expect(readFileSync(path, "utf8")).toContain("in time");
  }
});
