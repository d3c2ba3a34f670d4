import { expect, it } from "vitest";

import { cutoffs, pauseAfter, roundLimits } from "./limits.ts";

it("counts back from now", () => {
  const retention = { maxAuditDays: 30, maxBuildLogDays: Infinity };
  expect(cutoffs(Date.parse("2026-03-31T12:00:00Z"), retention)).toEqual({
    replacedBuilds: "2026-03-24T12:00:00.000Z",
    recentBuilds: "2026-03-31T11:00:00.000Z",
    usage: "2026-01-29T12:00:00.000Z",
    thinnedUsage: "2026-03-22T12:00:00.000Z",
    wholeUsage: "2026-03-29T12:00:00.000Z",
    endedSubAgents: "2026-03-30T12:00:00.000Z",
    expiredKeys: "2026-03-01T12:00:00.000Z",
    unusedFiles: "2026-03-30T12:00:00.000Z",
    dryRuns: "2026-03-30T12:00:00.000Z",
    unusedVersions: "2026-03-24T12:00:00.000Z",
    keptRuns: "2026-03-24T12:00:00.000Z",
    readings: "2026-03-31T11:00:00.000Z",
    auditEntries: "2026-03-01T12:00:00.000Z",
    buildLogLines: "1970-01-01T00:00:00.000Z",
  });
});

const nothing = {
  agents: 0,
  rowsOfAgents: 0,
  usageRows: 0,
  keys: 0,
  files: 0,
  dryRuns: 0,
  versions: 0,
  runs: 0,
  readings: 0,
  auditEntries: 0,
  buildLogLines: 0,
};

it.each([
  ["another replica did the round", undefined, 600_000],
  ["nothing was there", nothing, 600_000],
  [
    "less than a round's worth was there",
    {
      agents: 49,
      rowsOfAgents: 1,
      usageRows: 1,
      keys: 999,
      files: 99,
      dryRuns: 999,
      versions: 99,
      runs: 199,
      readings: 999,
      auditEntries: 9_999,
      buildLogLines: 19_999,
    },
    600_000,
  ],
  ["agents may be left", { ...nothing, agents: roundLimits.agents }, 5_000],
  ["rows may be left", { ...nothing, rowsOfAgents: roundLimits.rowsOfAgents }, 5_000],
  ["usage may be left", { ...nothing, usageRows: roundLimits.usageRows }, 5_000],
  ["keys may be left", { ...nothing, keys: roundLimits.keys }, 5_000],
  ["files may be left", { ...nothing, files: roundLimits.files }, 5_000],
  ["dry runs may be left", { ...nothing, dryRuns: roundLimits.dryRuns }, 5_000],
  ["versions may be left", { ...nothing, versions: roundLimits.versions }, 5_000],
  ["runs may be left", { ...nothing, runs: roundLimits.runs }, 5_000],
  ["entries may be left", { ...nothing, auditEntries: roundLimits.auditEntries }, 5_000],
  ["lines may be left", { ...nothing, buildLogLines: roundLimits.buildLogLines }, 5_000],
])("waits as long as it should when %s", (_what, removed, pauseMs) => {
  expect(pauseAfter(removed)).toBe(pauseMs);
});
