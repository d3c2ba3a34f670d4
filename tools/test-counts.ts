export interface Counts {
  readonly passed: number;
  readonly failed: number;
  /** The number of skipped, pending and to-do tests; they count as neither passed nor failed. */
  readonly skipped: number;
}

export interface Step {
  readonly name: string;
  readonly exitCode: number;
  /** The path of the step's test report; undefined for a step without tests. */
  readonly reportPath: string | undefined;
}

/** Reads `name:exit-code[:report]`. */
export function parseStep(argument: string): Step {
  const match = /^([^:]+):(\d+)(?::(.+))?$/.exec(argument);
  const [, name, code, reportPath] = match ?? [];
  if (name === undefined || code === undefined) {
    throw new Error(`bad step "${argument}", wanted name:exit-code[:report.json]`);
  }
  return { name, exitCode: Number(code), reportPath };
}

/**
 * Counts a step: its tests, or one failure if it failed without naming a test or left no report. A successful step
 * without tests adds nothing.
 */
export function countStep(step: Step, report: Counts | undefined): Counts {
  const counts = report ?? { passed: 0, failed: 0, skipped: 0 };
  const isLost = step.reportPath !== undefined && report === undefined;
  const isUnexplained = step.exitCode !== 0 && counts.failed === 0;
  return isLost || isUnexplained ? { ...counts, failed: counts.failed + 1 } : counts;
}

/**
 * Counts the tests of a Vitest JSON report. A file that failed without a failed test (it did not load) counts as one.
 */
export function countReport(report: unknown): Counts {
  const files = arrayIn(report, "testResults");
  if (files === undefined) throw new Error("not a test report: testResults is not an array");
  return addUp(files.map(countFile));
}

/**
 * Lists the failures of a Vitest JSON report: each failed test, or file that did not load, with the first lines of its
 * first message. The console's own account of them may be thousands of lines above.
 */
export function listFailures(report: unknown): readonly string[] {
  return (arrayIn(report, "testResults") ?? []).flatMap((file) => {
    const tests = arrayIn(file, "assertionResults") ?? [];
    const failed = tests.filter((test) => field(test, "status") === "failed");
    if (failed.length === 0 && countFile(file).failed > 0) {
      return [describeFailure(textIn(file, "name"), "", textIn(file, "message"))];
    }
    return failed.map((test) => {
      const [message] = arrayIn(test, "failureMessages") ?? [];
      return describeFailure(textIn(file, "name"), textIn(test, "fullName"), String(message));
    });
  });
}

/** Lists the paths of the files of a Vitest JSON report that have a failed test, or did not load. */
export function failedFiles(report: unknown): readonly string[] {
  const files = arrayIn(report, "testResults") ?? [];
  return files.filter((file) => countFile(file).failed > 0).map((file) => textIn(file, "name"));
}

/** Returns a report with the files of `first`, except for those that are in `again`, which ran a second time. */
export function mergeReports(
  first: unknown,
  again: unknown,
): { readonly testResults: readonly unknown[] } {
  const repeated = arrayIn(again, "testResults") ?? [];
  const names = new Set(repeated.map((file) => textIn(file, "name")));
  const others = arrayIn(first, "testResults") ?? [];
  return {
    testResults: [...others.filter((file) => !names.has(textIn(file, "name"))), ...repeated],
  };
}

function describeFailure(path: string, test: string, message: string): string {
  const lines = message.split("\n").slice(0, 12);
  return `${[path, test].filter(Boolean).join(": ")}\n${lines.map((line) => `    ${line}\n`).join("")}`;
}

export function addUp(all: readonly Counts[]): Counts {
  const sum = (key: keyof Counts): number => all.reduce((total, counts) => total + counts[key], 0);
  return { passed: sum("passed"), failed: sum("failed"), skipped: sum("skipped") };
}

function countFile(file: unknown): Counts {
  const tests = arrayIn(file, "assertionResults");
  if (tests === undefined) throw new Error("not a test report: assertionResults is not an array");
  const statuses = tests.map((test) => field(test, "status"));
  const passed = statuses.filter((status) => status === "passed").length;
  const failed = statuses.filter((status) => status === "failed").length;
  const isBroken = field(file, "status") === "failed" && failed === 0;
  return { passed, failed: isBroken ? 1 : failed, skipped: statuses.length - passed - failed };
}

function arrayIn(value: unknown, key: string): readonly unknown[] | undefined {
  const found = field(value, key);
  return Array.isArray(found) ? found : undefined;
}

function textIn(value: unknown, key: string): string {
  const found = field(value, key);
  return typeof found === "string" ? found : "";
}

function field(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, key) : undefined;
}
