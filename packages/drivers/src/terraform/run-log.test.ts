import { expect, it } from "vitest";

import type { DriverLog } from "../driver.ts";
import { RunLog } from "./run-log.ts";

function openLog(): { readonly run: RunLog; readonly lines: string[] } {
  const lines: string[] = [];
  const log: DriverLog = { write: (level, _stage, line) => lines.push(`${level} ${line}`) };
  return { run: new RunLog(log, "Applying"), lines };
}

function add(run: RunLog, message: object | string): void {
  run.add(Buffer.from(typeof message === "string" ? message : JSON.stringify(message)));
}

it("logs progress in the program's own words, and reads as details", () => {
  const { run, lines } = openLog();
  add(run, {
    "@level": "info",
    "@message": "null_resource.a: Creation complete after 3s [id=1]",
    type: "apply_complete",
  });
  add(run, {
    "@level": "info",
    "@message": "data.coder_workspace.me: Refreshing...",
    hook: { action: "read" },
    type: "apply_start",
  });
  add(run, { "@message": "Terraform 1.11.4", type: "version" });
  expect(lines).toEqual([
    "info null_resource.a: Creation complete after 3s [id=1]",
    "debug data.coder_workspace.me: Refreshing...",
  ]);
});

it("hides secrets in its lines and its errors, before it cuts them", () => {
  const lines: string[] = [];
  const log: DriverLog = { write: (_level, _stage, line) => lines.push(line) };
  const run = new RunLog(log, "Applying", (text) => text.replaceAll("hunter2", "(hidden)"));
  add(run, { "@message": `${"x".repeat(4_093)}hunter2`, type: "apply_progress" });
  add(run, { type: "diagnostic", diagnostic: { severity: "error", summary: "hunter2 is wrong" } });
  add(run, "Error: not hunter2");
  add(run, "but hunter2");
  expect(run.errors).toEqual(["(hidden) is wrong", "not (hidden) but (hidden)"]);
  expect(lines.join("\n")).not.toMatch(/hunt/);
});

it("keeps errors with their file and line", () => {
  const { run, lines } = openLog();
  add(run, {
    type: "diagnostic",
    diagnostic: {
      severity: "error",
      summary: "Unsupported argument",
      detail: 'An argument named "x"\nis not expected here.',
      range: { filename: "main.tf", start: { line: 3, column: 5 } },
    },
  });
  add(run, { type: "diagnostic", diagnostic: { severity: "warning", summary: "Deprecated" } });
  expect(run.errors).toEqual([
    'main.tf:3:5: Unsupported argument: An argument named "x" is not expected here.',
  ]);
  expect(lines).toEqual([`error ${run.errors[0]}`, "warn Deprecated"]);
});

it("keeps errors of commands that print text", () => {
  const { run } = openLog();
  for (const line of [
    "Initializing the backend...",
    "Error: Unclosed configuration block",
    "",
    "  on main.tf line 7, in resource:",
    "   7: resource {",
    "There is no closing brace",
    "for this block.",
    "Error: Second",
  ]) {
    add(run, line);
  }
  expect(run.errors).toEqual([
    "main.tf:7: Unclosed configuration block There is no closing brace for this block.",
    "Second",
  ]);
});

it("remembers the changes of a plan, without reads", () => {
  const { run } = openLog();
  for (const [addr, action] of [
    ["docker_container.box[0]", "replace"],
    ["data.coder_workspace.me", "read"],
    ["docker_volume.home", "noop"],
  ]) {
    add(run, { type: "planned_change", change: { resource: { addr }, action } });
  }
  expect([...run.changes]).toEqual([["docker_container.box[0]", "replace"]]);
});

it("stops logging what programs print, but not the errors", () => {
  const { run, lines } = openLog();
  const noise = { "@message": `x (local-exec): ${"y".repeat(1_000)}`, type: "provision_progress" };
  for (let index = 0; index < 5_000; index += 1) add(run, noise);
  expect(lines.length).toBeLessThan(1_200);
  expect(lines.at(-1)).toContain("the rest is not shown");
  add(run, { type: "diagnostic", diagnostic: { severity: "error", summary: "failed" } });
  expect(lines.at(-1)).toBe("error failed");
});

it("shows nothing that moves a terminal", () => {
  const { run, lines } = openLog();
  add(run, { "@message": "a\u001B[2Jb\rc", type: "provision_progress" });
  expect(lines[0]).not.toContain("\u001B");
  expect(lines[0]).not.toContain("\r");
});
