import { expect, it } from "vitest";

import { appendOutput, runStatus } from "./run-text.ts";

const ended = { status: "exited", exit_code: 0, signal: null, timed_out: false } as const;

it.each([
  [{ ...ended, status: "running", exit_code: null } as const, "Running"],
  [ended, "Succeeded"],
  [{ ...ended, exit_code: 3 }, "Exit code 3"],
  [{ ...ended, exit_code: null, signal: "SIGKILL" }, "Ended by SIGKILL"],
  [{ ...ended, exit_code: null, signal: "SIGTERM", timed_out: true }, "Timed out"],
])("words %j as %s", (run, text) => {
  expect(runStatus(run).text).toBe(text);
});

it("keeps the end of output, from the beginning of a line", () => {
  expect(appendOutput("a", "b")).toBe("ab");
  const long = appendOutput(`first\n${"x".repeat(399_990)}\n`, "last\n".repeat(10));
  expect(long.startsWith("last")).toBe(true);
});
