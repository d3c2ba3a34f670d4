import { mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { type Clock, silentLogger, systemClock } from "@slipway/runtime";
import { createFakeClock } from "@slipway/testkit";
import { openFiles } from "@slipway/testkit/open-files";
import { afterAll, describe, expect, it } from "vitest";

import { isAlive, openCommandHost, shellCommand } from "../../tests/support/command-host.ts";
import { ProcessError } from "../process/errors.ts";
import { LogQueue } from "./log-queue.ts";
import type { ScriptHost } from "./run-script.ts";
import { ScriptRunner } from "./script-runner.ts";
import type { ScriptTiming, Script } from "./script.ts";

const folder = mkdtempSync(join(tmpdir(), "slipway-scripts-"));
afterAll(() => rmSync(folder, { recursive: true }));

const never = new AbortController().signal;
let count = 0;

function script(fields: Partial<Script>): Script {
  count += 1;
  const id = `00000000-0000-0000-0000-${String(count).padStart(12, "0")}`;
  return {
    id,
    logSourceId: id,
    displayName: `script ${count}`,
    logPath: "",
    text: "true",
    cron: "",
    runOnStart: true,
    runOnStop: false,
    timeoutMs: undefined,
    ...fields,
  };
}

interface Bench extends Disposable {
  readonly runner: ScriptRunner;
  readonly timings: ScriptTiming[];
  /** Lines by level, from the only source. */
  readonly lines: () => string[];
  /** The messages of the agent's own log. */
  readonly messages: readonly string[];
}

function bench(
  scripts: readonly Script[],
  options: {
    readonly clock?: Clock;
    readonly dataDir?: string;
    readonly prepare?: ScriptHost["prepare"];
    readonly onMuchOutput?: () => void;
  } = {},
): Bench {
  const { clock = systemClock, dataDir = mkdtempSync(join(folder, "data-")) } = options;
  const commands = openCommandHost(clock);
  const logs = new LogQueue(clock);
  const timings: ScriptTiming[] = [];
  const messages: string[] = [];
  const prepare: ScriptHost["prepare"] = async (text, extra) => {
    const command = shellCommand(text);
    const set = Object.entries(extra).map(([name, value]) => [name, value ?? ""] as const);
    return { ...command, environment: { ...command.environment, ...Object.fromEntries(set) } };
  };
  const host: ScriptHost = {
    commands,
    prepare: options.prepare ?? prepare,
    logs,
    directories: { dataDir, logDir: dataDir },
    home: { home: folder, environment: {} },
    logger: { ...silentLogger, info: (_, message) => void messages.push(message) },
    ...(options.onMuchOutput === undefined ? {} : { onMuchOutput: options.onMuchOutput }),
  };
  return {
    runner: new ScriptRunner(scripts, host, (timing) => timings.push(timing)),
    timings,
    messages,
    lines: () => {
      const seen: string[] = [];
      void logs.flush(never);
      for (let next = logs.next(); "lines" in next; next = logs.next()) {
        seen.push(...next.lines.map(({ level, output }) => `${level}: ${output}`));
        logs.acknowledge(next);
      }
      return seen;
    },
    [Symbol.dispose]: () => commands[Symbol.dispose](),
  };
}

describe("ScriptRunner", () => {
  it("runs start scripts side by side and tells how each ended", async () => {
    const fifo = join(folder, "meet");
    const one = script({ text: `mkfifo ${fifo}; cat ${fifo}; echo problem >&2` });
    const two = script({ text: `until [ -p ${fifo} ]; do sleep 0.01; done; echo met > ${fifo}` });
    using run = bench([one, two, script({ runOnStart: false, text: "exit 1" })]);
    expect(await run.runner.start()).toBe("ok");
    expect(run.lines().toSorted()).toEqual(["error: problem", "info: met"]);
    expect(run.timings).toHaveLength(2);
    expect(run.timings[0]).toMatchObject({ stage: "start", status: "ok", exitCode: 0 });
  });

  it.each([
    ["exit 0", "ok"],
    ["exit 3", "exit code 3"],
    ["kill -KILL $$", "killed by SIGKILL"],
  ])("tells the agent's log how %j ended, by the script's name", async (text, ending) => {
    using run = bench([script({ text, displayName: 'say "hi"' })]);
    await run.runner.start();
    expect(run.messages).toEqual([String.raw`script "say \"hi\"" ended: ${ending}`]);
  });

  it("gives a script its directories and keeps its output in a file", async () => {
    const dataDir = mkdtempSync(join(folder, "data-"));
    const one = script({
      text: 'cd "$CODER_SCRIPT_DATA_DIR" && pwd; ls -d "$CODER_SCRIPT_BIN_DIR"',
    });
    using run = bench([one], { dataDir });
    expect(await run.runner.start()).toBe("ok");
    const base = join(dataDir, "coder-script-data");
    const file = join(dataDir, `coder-script-${one.logSourceId}.log`);
    expect(readFileSync(file, "utf8")).toBe(
      `${join(base, one.logSourceId)}\n${join(base, "bin")}\n`,
    );
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it("overwrites the file of an earlier run, and appends nothing to it", async () => {
    const dataDir = mkdtempSync(join(folder, "data-"));
    const one = script({ text: "printf new", logPath: "setup.log" });
    writeFileSync(join(dataDir, "setup.log"), "old output");
    using run = bench([one], { dataDir });
    expect(await run.runner.start()).toBe("ok");
    expect(readFileSync(join(dataDir, "setup.log"), "utf8")).toBe("new output");
    expect(run.lines()).toEqual(["info: new"]);
    expect(openFiles()).not.toContain(join(dataDir, "setup.log"));
  });

  it.runIf(process.platform === "linux")("warns once that its log file is full", async () => {
    const text = `yes "$(printf %01000d 0)" | head -c 200000`;
    using run = bench([script({ text, logPath: "/dev/full" })]);
    expect(await run.runner.start()).toBe("ok");
    const warnings = run.lines().filter((line) => line.startsWith("warn: "));
    expect(warnings).toEqual([expect.stringContaining("is no longer written: ")]);
  });

  it("runs a script without its log file where the name is a link to another file", async () => {
    const dataDir = mkdtempSync(join(folder, "data-"));
    writeFileSync(join(dataDir, "bashrc"), "precious");
    symlinkSync("bashrc", join(dataDir, "setup.log"));
    using run = bench([script({ text: "echo out", logPath: "setup.log" })], { dataDir });
    expect(await run.runner.start()).toBe("ok");
    expect(readFileSync(join(dataDir, "bashrc"), "utf8")).toBe("precious");
    expect(run.lines()).toEqual([expect.stringContaining("warn: no log file: "), "info: out"]);
  });

  it("lets no run end before it began, though the clock is set back", async () => {
    let nowMs = 10_000;
    const clock = { ...systemClock, now: () => (nowMs -= 1_000) };
    using run = bench([script({})], { clock });
    expect(await run.runner.start()).toBe("ok");
    const [timing] = run.timings;
    expect(timing?.startMs).toBeGreaterThan(nowMs);
    expect(timing?.endMs).toBe(timing?.startMs);
  });

  it("lets the first failure in time decide", async () => {
    using run = bench([script({ text: "exit 7" }), script({ text: "true" })]);
    expect(await run.runner.start()).toBe("failed");
    expect(new Set(run.timings.map(({ exitCode }) => exitCode))).toEqual(new Set([0, 7]));
    expect(run.lines()).toContain("error: script exited with code 7");
  });

  it("takes the first of several failures", async () => {
    const clock = createFakeClock();
    const late = script({ text: "sleep 1000", timeoutMs: 3_000 });
    using run = bench([late, script({ text: "exit 7" })], { clock });
    const started = run.runner.start();
    await expect.poll(() => run.timings.length).toBe(1);
    await clock.advance(3_000);
    expect(await started).toBe("failed");
    expect(run.timings.map(({ status }) => status)).toEqual(["exit-failure", "timed-out"]);
  });

  it("ends a script that takes longer than its timeout", async () => {
    const clock = createFakeClock();
    using run = bench([script({ text: "sleep 1000", timeoutMs: 3_000 })], { clock });
    const started = run.runner.start();
    await expect.poll(() => clock.sleepers).toBe(1);
    await clock.advance(3_000);
    expect(await started).toBe("timed-out");
    expect(run.timings[0]).toMatchObject({ status: "timed-out", exitCode: 255 });
    expect(run.lines()).toEqual(["error: script did not end within 3 s and was killed"]);
  });

  it("runs the others when one schedule cannot be read, and fails with the reason", async () => {
    using run = bench([script({ cron: "nonsense" }), script({ text: "echo fine" })]);
    expect(await run.runner.start()).toBe("failed");
    const lines = run.lines();
    expect(lines).toContain("info: fine");
    expect(lines.join("\n")).toContain(
      'error: cron schedule is "nonsense", wanted: seconds minute',
    );
  });

  it("fails with the reason where there is no shell", async () => {
    const prepare = async (): Promise<never> => {
      throw new ProcessError("no-shell", "the user has no shell");
    };
    using run = bench([script({})], { prepare });
    expect(await run.runner.start()).toBe("failed");
    expect(run.lines()).toEqual(["error: the user has no shell"]);
    expect(run.timings[0]).toMatchObject({ status: "exit-failure", exitCode: 255 });
  });

  it("fails with the reason where its directory cannot be made", async () => {
    const dataDir = join(folder, "occupied");
    writeFileSync(dataDir, "");
    using run = bench([script({})], { dataDir });
    expect(await run.runner.start()).toBe("failed");
    expect(run.lines().join("\n")).toMatch(/error: .*(ENOTDIR|EEXIST)/);
  });

  it("ends start scripts when it is closed, and then runs stop scripts", async () => {
    const mark = join(folder, "pid");
    const start = script({ text: `echo $$ > ${mark}; sleep 1000` });
    const stop = script({ runOnStart: false, runOnStop: true, text: "echo bye; exit 2" });
    using run = bench([start, stop]);
    const started = run.runner.start();
    await expect.poll(() => readText(mark)).toMatch(/\d+\n/);
    const pid = Number(readText(mark));
    await run.runner.close();
    expect(await started).toBe("failed");
    expect(isAlive(pid)).toBe(false);
    expect(await run.runner.stop(never)).toBe("failed");
    expect(run.lines()).toContain("info: bye");
    expect(run.timings.map(({ stage, exitCode }) => [stage, exitCode])).toEqual([
      ["start", -1],
      ["stop", 2],
    ]);
  });

  it("ends a stop script without a timeout after ten minutes", async () => {
    const clock = createFakeClock();
    const stop = script({ runOnStart: false, runOnStop: true, text: "sleep 10000" });
    using run = bench([stop], { clock });
    const stopped = run.runner.stop(never);
    await expect.poll(() => clock.sleepers).toBe(1);
    await clock.advance(600_000);
    expect(await stopped).toBe("timed-out");
  });

  it.each([
    [100_000, false],
    [400_000, true],
  ])("tells of much output: of %i bytes, %s", async (bytes, isMuch) => {
    let isTold = false;
    const text = `yes "$(printf %01000d 0)" | head -c ${bytes}`;
    const onMuchOutput = (): void => void (isTold = true);
    using run = bench([script({ text })], { onMuchOutput });
    expect(await run.runner.start()).toBe("ok");
    expect(isTold).toBe(isMuch);
  });

  it("runs a script by its schedule once the start is over", async () => {
    const clock = createFakeClock(Date.UTC(2026, 0, 1));
    const cron = script({ runOnStart: false, cron: "TZ=UTC 0 * * * *", text: "echo tick" });
    using run = bench([cron], { clock });
    expect(await run.runner.start()).toBe("ok");
    run.runner.startSchedules();
    await clock.advance(60_000);
    await expect.poll(() => run.timings.length).toBe(1);
    expect(run.timings[0]).toMatchObject({
      stage: "cron",
      status: "ok",
      startMs: Date.UTC(2026, 0, 1, 0, 1),
    });
    expect(run.lines()).toEqual(["info: tick"]);
    await run.runner.close();
  });

  it("skips a run while 32 of its schedule last, and goes on once they have ended", async () => {
    const clock = createFakeClock(Date.UTC(2026, 0, 1));
    const release = Promise.withResolvers<never>();
    let begun = 0;
    const prepare = (): Promise<never> => {
      begun += 1;
      return release.promise;
    };
    using run = bench([script({ runOnStart: false, cron: "* * * * * *" })], { clock, prepare });
    expect(await run.runner.start()).toBe("ok");
    run.runner.startSchedules();
    await clock.advance(40_000);
    expect(begun).toBe(32);
    release.reject(new ProcessError("no-shell", "the user has no shell"));
    await expect.poll(() => run.timings.length).toBe(32);
    await clock.advance(1_000);
    expect(begun).toBe(33);
    await run.runner.close();
  });
});

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
