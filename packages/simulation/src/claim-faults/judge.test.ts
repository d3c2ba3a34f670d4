import { describe, expect, it } from "vitest";

import { lackOf, latencyOf, violationsOf } from "./judge.ts";
import { parsePasses } from "./pass.ts";
import type { WorkspaceFacts } from "./workspace-facts.ts";

const claimed: WorkspaceFacts = {
  id: "1",
  name: "box",
  ownerName: "ann",
  isDeleted: false,
  wasPrebuild: true,
  claimers: ["ann"],
  claimedAtMs: 100.7,
  isOwed: false,
  lifecycle: "ready",
  errors: [],
};

/** Lines as left by scripts, each later than the previous one. */
function passes(...lines: readonly string[]) {
  return parsePasses(lines.map((line, index) => `${line} ${100 + index}\n`).join(""));
}

describe("violationsOf", () => {
  it.each([
    [],
    ["start prebuilds 1"],
    ["start prebuilds 1", "stop prebuilds 1", "start ann 1"],
    ["start prebuilds 1", "stop prebuilds 1", "start ann 1", "start ann 2", "stop ann 2"],
    ["start prebuilds 1", "start prebuilds 2", "stop prebuilds 2", "start ann 2"],
    ["stop prebuilds 1", "start ann 1"],
  ])("finds nothing in %j", (...lines: string[]) => {
    expect(violationsOf(claimed, passes(...lines))).toEqual([]);
  });

  it.each([
    [["start ann 1", "start ann 1"], "process 1 ran start for ann, start for ann"],
    [["start prebuilds 1", "start prebuilds 1"], "process 1 ran"],
    [["start prebuilds 1", "start ann 1"], "process 1 ran"],
    [["start ann 1", "start prebuilds 1"], "process 1 ran"],
    [["start prebuilds 1", "stop prebuilds 1", "start eve 1"], "process 1 ran"],
    [["start ann 2", "stop ann 2", "start ann 2"], "process 2 ran"],
  ])("finds what is wrong with %j", (lines, wanted) => {
    expect(violationsOf(claimed, passes(...lines))).toEqual([expect.stringContaining(wanted)]);
  });

  it("finds two claimers, failed builds, and scripts that ran before the claim", () => {
    const facts = { ...claimed, claimers: ["ann", "bob"], claimedAtMs: 101.2, errors: ["no"] };
    expect(violationsOf(facts, passes("start ann 1"))).toEqual([
      "workspace box (1): a build failed: no",
      "workspace box (1): claimed by ann and bob",
      "workspace box (1): process 1 ran for ann too early",
    ]);
  });
});

describe("lackOf", () => {
  const good = passes("start prebuilds 1", "stop prebuilds 1", "start ann 1");

  it("lacks nothing once the process that lives has started for the owner", () => {
    expect(lackOf(claimed, good, "1")).toBeUndefined();
    expect(lackOf({ ...claimed, isDeleted: true }, [], "1")).toBeUndefined();
    expect(lackOf({ ...claimed, claimedAtMs: undefined, claimers: [] }, [], "1")).toBeUndefined();
  });

  it.each([
    [{ isOwed: true }, "1", "a reinit is owed"],
    [{ lifecycle: "starting" }, "1", "its agent is starting"],
    [{}, "2", "process 2 started 0 times for its owner"],
  ])("tells that with %j process %s lacks something", (change, boot, wanted) => {
    expect(lackOf({ ...claimed, ...change }, good, boot)).toBe(`workspace box (1): ${wanted}`);
  });
});

it("measures from the claim to the owner's first start script", () => {
  const good = passes("start prebuilds 1", "stop prebuilds 1", "start ann 1", "start ann 2");
  expect(latencyOf({ ...claimed, claimedAtMs: 90 }, good)).toBe(12);
  expect(latencyOf(claimed, [])).toBeUndefined();
});
