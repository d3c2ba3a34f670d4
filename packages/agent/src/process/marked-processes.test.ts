import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { existsSync } from "node:fs";

import { systemClock } from "@slipway/runtime";
import { describe, expect, it, onTestFinished } from "vitest";

import { endMarked } from "./marked-processes.ts";

const { signal } = new AbortController();

function newMarks() {
  return { CODER_WORKSPACE_ID: randomUUID(), CODER_WORKSPACE_OWNER_NAME: "prebuilds" };
}

/** Runs a script with these variables; resolves to the pids that it prints, which are killed at the end of the test. */
async function run(script: string, env: Readonly<Record<string, string>>): Promise<number[]> {
  const child = spawn("sh", ["-c", script], {
    env: { PATH: process.env["PATH"], ...env },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const chunks: string[] = [];
  child.stdout.setEncoding("utf8").on("data", (text: string) => chunks.push(text));
  await once(child, "close");
  const pids = chunks.join("").trim().split("\n").map(Number);
  onTestFinished(() => {
    for (const pid of pids.filter(isAlive)) process.kill(pid, "SIGKILL");
  });
  return pids;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  return existsSync(`/proc/${pid}/exe`);
}

/** Starts a process that leaves its group, its session and its parent. */
const daemon = (command: string) => `setsid sh -c '${command} >/dev/null 2>&1 & echo $!' & wait`;

describe.runIf(existsSync("/proc/self/environ"))("endMarked", () => {
  it("ends a daemon that has left its group and its parent, and nothing else", async () => {
    const marks = newMarks();
    const [marked = 0] = await run(daemon("sleep 300"), marks);
    const [other = 0] = await run(daemon("sleep 300"), { ...marks, CODER_WORKSPACE_ID: "another" });
    const [owners = 0] = await run(daemon("sleep 300"), {
      ...marks,
      CODER_WORKSPACE_OWNER_NAME: "prebuilds-admin",
    });
    expect([marked, other, owners].map(isAlive)).toEqual([true, true, true]);
    expect(await endMarked(marks, systemClock, signal)).toEqual([]);
    expect([marked, other, owners].map(isAlive)).toEqual([false, true, true]);
  });

  it("kills what ignores a polite end", async () => {
    const marks = newMarks();
    const stubborn = `trap "" TERM; while :; do sleep 300; done`;
    const [pid = 0] = await run(daemon(`sh -c "${stubborn.replaceAll('"', '\\"')}"`), marks);
    expect(await endMarked(marks, systemClock, signal)).toEqual([]);
    expect(isAlive(pid)).toBe(false);
  });

  it("ends the children of a marked process that cleared their environment", async () => {
    const marks = newMarks();
    // Both close the output once they have printed their pids.
    const parent = `sh -c "env -i /bin/sleep 300 3>&- & echo \\$! >&3; exec 3>&-; wait"`;
    const pids = await run(`exec 3>&1; ${daemon(parent)}`, marks);
    expect(pids).toHaveLength(2);
    expect(await endMarked(marks, systemClock, signal)).toEqual([]);
    expect(pids.map(isAlive)).toEqual([false, false]);
  });

  it("spares itself and those that started it", async () => {
    const marks = newMarks();
    const self = new URL("marked-processes.ts", import.meta.url).pathname;
    const program = `
      const { endMarked } = await import(${JSON.stringify(self)});
      const { systemClock } = await import("@slipway/runtime");
      const left = await endMarked(${JSON.stringify(marks)}, systemClock, new AbortController().signal);
      console.log("left", left.length);`;
    const child = spawn(
      "sh",
      ["-c", `"$0" --conditions=@slipway/source --input-type=module -e "$1"; true`].concat(
        process.execPath,
        program,
      ),
      {
        cwd: new URL(".", import.meta.url).pathname,
        env: { PATH: process.env["PATH"], ...marks },
        stdio: ["ignore", "pipe", "inherit"],
      },
    );
    const chunks: string[] = [];
    child.stdout.setEncoding("utf8").on("data", (text: string) => chunks.push(text));
    const ended = await once(child, "close");
    expect(chunks.join("")).toBe("left 0\n");
    // The shell that started it carries the marks too.
    expect(ended).toEqual([0, null]);
  });
});
