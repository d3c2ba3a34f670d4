import { describe, expect, it } from "vitest";

import {
  addUp,
  countReport,
  countStep,
  failedFiles,
  listFailures,
  mergeReports,
  parseStep,
} from "./test-counts.ts";

const none = { passed: 0, failed: 0, skipped: 0 };

function file(status: string, ...tests: string[]): unknown {
  return { status, assertionResults: tests.map((test) => ({ status: test })) };
}

describe("parseStep", () => {
  it("reads a step with and without a report", () => {
    expect(parseStep("lint:2")).toEqual({ name: "lint", exitCode: 2, reportPath: undefined });
    expect(parseStep("test:0:.reports/test.json").reportPath).toBe(".reports/test.json");
  });

  it("refuses a step without an exit code", () => {
    expect(() => parseStep("lint")).toThrow('bad step "lint", wanted name:exit-code[:report.json]');
    expect(() => parseStep("lint:x")).toThrow("bad step");
  });
});

describe("countReport", () => {
  it("adds up the tests of all files by their status", () => {
    const report = {
      testResults: [
        file("passed", "passed", "passed", "skipped"),
        file("failed", "passed", "failed", "todo"),
      ],
    };
    expect(countReport(report)).toEqual({ passed: 3, failed: 1, skipped: 2 });
  });

  it("counts a file that did not load as one failure", () => {
    expect(countReport({ testResults: [file("failed"), file("failed", "passed")] })).toEqual({
      passed: 1,
      failed: 2,
      skipped: 0,
    });
  });

  it("refuses what is not a report", () => {
    expect(() => countReport({})).toThrow("testResults is not an array");
    expect(() => countReport(null)).toThrow("testResults is not an array");
    expect(() => countReport({ testResults: [{}] })).toThrow("assertionResults is not an array");
  });
});

describe("listFailures", () => {
  it("names each failed test and file with what went wrong", () => {
    const failed = {
      status: "failed",
      fullName: "copies a file",
      failureMessages: ["AssertionError: no\n    at cp.test.ts:1"],
    };
    const report = {
      testResults: [
        { name: "/cp.test.ts", status: "failed", assertionResults: [{ status: "passed" }, failed] },
        { name: "/x.test.ts", status: "failed", message: "SyntaxError", assertionResults: [] },
        { name: "/y.test.ts", ...Object(file("passed", "passed")) },
      ],
    };
    expect(listFailures(report)).toEqual([
      "/cp.test.ts: copies a file\n    AssertionError: no\n        at cp.test.ts:1\n",
      "/x.test.ts\n    SyntaxError\n",
    ]);
  });

  it("lists nothing of a report that is missing", () => {
    expect(listFailures(undefined)).toEqual([]);
  });
});

describe("countStep", () => {
  it("counts nothing for a step without tests that went well", () => {
    expect(countStep(parseStep("check:0"), undefined)).toEqual(none);
  });

  it("counts a failing step without tests once", () => {
    expect(countStep(parseStep("check:1"), undefined)).toEqual({ ...none, failed: 1 });
  });

  it("counts a step that left no report as one failure, whatever its exit code", () => {
    expect(countStep(parseStep("test:0:r.json"), undefined)).toEqual({ ...none, failed: 1 });
    expect(countStep(parseStep("test:1:r.json"), undefined)).toEqual({ ...none, failed: 1 });
  });

  it("takes the tests of a report as they are", () => {
    const report = { passed: 4, failed: 2, skipped: 0 };
    expect(countStep(parseStep("test:1:r.json"), report)).toEqual(report);
  });

  it("counts one failure when a step fails although every test passed", () => {
    const report = { passed: 4, failed: 0, skipped: 0 };
    expect(countStep(parseStep("test:1:r.json"), report)).toEqual({ ...report, failed: 1 });
  });
});

describe("addUp", () => {
  it("adds nothing up to nothing", () => {
    expect(addUp([])).toEqual(none);
  });
});

describe("a repetition of failed files", () => {
  const named = (name: string, result: unknown): unknown => ({ name, ...Object(result) });
  const first = {
    testResults: [
      named("/a.test.ts", file("passed", "passed", "passed")),
      named("/b.test.ts", file("failed", "passed", "failed")),
      named("/c.test.ts", file("failed")),
    ],
  };

  it("is of those with a failed test and of those that did not load", () => {
    expect(failedFiles(first)).toEqual(["/b.test.ts", "/c.test.ts"]);
  });

  it("counts in place of their first run", () => {
    const again = {
      testResults: [
        named("/b.test.ts", file("passed", "passed", "passed")),
        named("/c.test.ts", file("failed", "failed")),
      ],
    };
    const merged = mergeReports(first, again);
    expect(countReport(merged)).toEqual({ passed: 4, failed: 1, skipped: 0 });
    expect(failedFiles(merged)).toEqual(["/c.test.ts"]);
  });

  it("leaves the failure of a file that did not run again", () => {
    const again = { testResults: [named("/b.test.ts", file("passed", "passed", "passed"))] };
    expect(failedFiles(mergeReports(first, again))).toEqual(["/c.test.ts"]);
  });
});
