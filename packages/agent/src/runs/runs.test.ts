import { randomUUID } from "node:crypto";
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

import { type Clock, systemClock } from "@slipway/runtime";
import { describe, expect, it } from "vitest";

import { isAlive } from "../../tests/support/command-host.ts";
import { openRuns, outputOf } from "../../tests/support/run-world.ts";
import { dataName } from "../process/private-directory.ts";
import { readPage } from "./run-page.ts";
import type { Run } from "./run.ts";

const signal = new AbortController().signal;
const page = {
  after: 0,
  maxBytes: 1_000_000,
  waitMs: 5_000,
  waitFor: "exit",
  encoding: "text",
} as const;
/** A clock that runs twenty times as fast for sleepers. */
const hastyClock: Clock = {
  ...systemClock,
  sleep: (ms, end) => systemClock.sleep(ms / 20, end),
};
const needs = { clock: systemClock, signal };

describe("a run", () => {
  it("has the output of both streams, the exit code and its times", async () => {
    const { start, runs } = openRuns();
    const run = await start({
      command: "echo out; sleep 0.05; echo err >&2; exit 3",
      env: { A: "b" },
    });
    expect(await readPage(run, page, needs)).toMatchObject({
      run: {
        status: "exited",
        exit_code: 3,
        signal: null,
        instance_id: runs.instanceId,
        last_seq: 8,
        stdin: "none",
        timed_out: false,
        user: "me",
      },
      chunks: [
        { seq: 4, stream: "stdout", data: "out\n" },
        { seq: 8, stream: "stderr", data: "err\n" },
      ],
      next_seq: 8,
      is_complete: true,
    });
  });

  it("takes words as they are, in a directory, with variables", async () => {
    const { start, dataDir } = openRuns();
    const argv = ["sh", "-c", 'pwd; echo "$1 $A"', "sh", "$HOME 'x'"];
    const run = await start({ argv, workdir: dataDir, env: { A: "b c" } });
    expect(await outputOf(run)).toEqual({ text: `${dataDir}\n$HOME 'x' b c\n`, missed: 0 });
  });

  it.each([
    ["~", ""],
    ["~/work", "/work"],
  ])("runs in the directory %s of the home", async (workdir, below) => {
    const { start, dataDir } = openRuns();
    mkdirSync(join(dataDir, "work"));
    const run = await start({ argv: ["pwd"], workdir, env: { HOME: dataDir } });
    expect(await outputOf(run)).toEqual({ text: `${dataDir}${below}\n`, missed: 0 });
  });

  it.each([
    [{ argv: ["/no/such/program"] }],
    [{ argv: ["true"], workdir: "/no/such/directory" }],
    [{ command: "true", workdir: "/etc/passwd" }],
  ])("that cannot start says why: %j", async (body) => {
    const { start, runs } = openRuns();
    await expect(start(body)).rejects.toMatchObject({ status: 422, reason: "spawn-failed" });
    expect(runs.list()).toEqual([]);
  });

  it.each([
    [{}],
    [{ command: "  " }],
    [{ command: "a\0b" }],
    [{ argv: [] }],
    [{ argv: ["a"], command: "a" }],
    [{ argv: ["a", 1] }],
    [{ command: "a", env: { "a=b": "c" } }],
    [{ command: "a", env: { a: 1 } }],
    [{ command: "a", timeout_ms: 0 }],
    [{ command: "a", tty: { columns: 0, rows: 1 } }],
    [{ command: "a", id: "x" }],
  ])("is refused if its request is invalid: %j", (body) => {
    const { start } = openRuns();
    expect(() => start(body)).toThrow(expect.objectContaining({ reason: "invalid-request" }));
  });

  it("ends at its time limit, even if it ignores signals, with all its processes", async () => {
    const { start } = openRuns({}, { clock: hastyClock });
    const command = 'trap "" TERM HUP INT; sh -c "sleep 1000 & echo \\$!; wait"; sleep 1000';
    const run = await start({ command, timeout_ms: 4_000 });
    await run.output.hasMore(0, signal);
    await run.exited;
    expect(run.describe()).toMatchObject({ timed_out: true, signal: "SIGKILL", exit_code: null });
    const { text } = await outputOf(run);
    await expect.poll(() => isAlive(Number(text))).toBe(false);
  });

  it("gets signals by name, and none once it has ended", async () => {
    const { start } = openRuns();
    const run = await start({
      command: 'trap "echo got; exit 4" USR1; echo go; while :; do sleep 0.02; done',
    });
    await run.output.hasMore(0, signal);
    run.signal("SIGUSR1");
    expect((await outputOf(run)).text).toContain("got");
    expect(run.describe().exit_code).toBe(4);
    expect(() => run.signal("SIGKILL")).toThrow(expect.objectContaining({ reason: "not-running" }));
  });

  it("that closes its outputs lives on until it exits", async () => {
    const { start } = openRuns();
    const run = await start({ command: "echo x; exec >&- 2>&-; sleep 0.3; exit 5" });
    expect(run.isRunning).toBe(true);
    expect((await outputOf(run)).text).toBe("x\n");
    expect(run.describe().exit_code).toBe(5);
  });

  it("ends although a background process keeps its output open", async () => {
    const { start } = openRuns({}, { clock: hastyClock });
    const run = await start({ command: "sleep 100 & echo x" });
    expect((await outputOf(run)).text).toBe("x\n");
    expect(run.describe()).toMatchObject({ status: "exited", exit_code: 0 });
  });

  it("has a terminal of the wanted size, whose output is one stream", async () => {
    const { start } = openRuns();
    const run = await start({
      command: "stty size; read x; stty size; tty >&2",
      tty: { columns: 91, rows: 33 },
    });
    await run.output.hasMore(0, signal);
    run.resize({ columns: 70, rows: 20 });
    run.input?.write(0, Buffer.from("\n"));
    expect((await outputOf(run)).text).toMatch(/33 91[^]*20 70[^]*\/dev\/pts/);
    const chunks = (await readPage(run, page, needs)).chunks;
    expect(new Set(chunks.map(({ stream }) => stream))).toEqual(new Set(["stdout"]));
  });
});

describe("the input of a run", () => {
  it("is empty unless wanted", async () => {
    const { start } = openRuns();
    const run = await start({ command: "cat; echo end" });
    expect((await outputOf(run)).text).toBe("end\n");
    expect(run.input).toBeUndefined();
  });

  it("is given once, even if it comes again", async () => {
    const { start } = openRuns();
    const run = await start({ command: "cat", stdin: true });
    run.input?.write(0, Buffer.from("abc"));
    run.input?.write(0, Buffer.from("abcde"));
    run.input?.write(2, Buffer.from("cd"));
    expect(() => run.input?.write(6, Buffer.from("x"))).toThrow(
      expect.objectContaining({ reason: "input-gap" }),
    );
    run.input?.close(5);
    run.input?.close(5);
    expect((await outputOf(run)).text).toBe("abcde");
    expect(run.describe()).toMatchObject({ stdin: "closed", stdin_seq: 5 });
    expect(() => run.input?.write(5, Buffer.from("x"))).toThrow(
      expect.objectContaining({ reason: "input-closed" }),
    );
  });

  it("is bounded while the command does not read, and lost once it has ended", async () => {
    const { start } = openRuns();
    const run = await start({ command: "sleep 1000", stdin: true });
    const write = (): void => {
      for (let turn = 0; turn < 100; turn += 1) {
        run.input?.write(run.input.received, Buffer.alloc(64 * 1024));
      }
    };
    expect(write).toThrow(expect.objectContaining({ reason: "input-full" }));
    run.signal("SIGKILL");
    await run.exited;
    await expect.poll(() => run.input?.isClosed).toBe(true);
  });
});

describe("the output of a run", () => {
  it("is bounded, and says what was dropped", async () => {
    const kept = 4 * 64 * 1024;
    const { start } = openRuns({ maxOutputBytes: kept });
    const run = await start({ command: "head -c 3000000 /dev/zero | tr '\\0' x; echo end" });
    const { text, missed } = await outputOf(run);
    const { last_seq: last, first_seq: first, truncated_bytes: truncated } = run.describe();
    expect(last).toBe(3_000_004);
    expect([missed, truncated]).toEqual([first, first]);
    expect(text.length).toBe(last - first);
    expect(text.length).toBeGreaterThan(kept - 2 * 64 * 1024);
    expect(text.length).toBeLessThanOrEqual(kept + 64 * 1024);
    expect(text.endsWith("xend\n")).toBe(true);
  });

  it("goes on after any position, exactly, also on disk", async () => {
    const { start } = openRuns();
    const run = await start({ command: "seq 1 40000; echo e >&2; seq 1 3" });
    const { text } = await outputOf(run);
    for (const after of [0, 1, 65_530, 65_536, 100_003, text.length - 7, text.length]) {
      expect(await outputOf(run, after)).toEqual({ text: text.slice(after), missed: 0 });
    }
    await expect(readPage(run, { ...page, after: text.length + 1 }, needs)).rejects.toMatchObject({
      reason: "seq-in-future",
    });
  });

  it("of all runs is bounded at the cost of the oldest", async () => {
    const { start, runs } = openRuns({ maxOutputBytesInAll: 4 * 64 * 1024 });
    const command = "head -c 200000 /dev/zero";
    const first = await start({ command });
    await first.exited;
    const second = await start({ command });
    await second.exited;
    expect(runs.list()).toEqual([second]);
    expect((await outputOf(second)).text).toHaveLength(200_000);
    expect((await outputOf(first)).text).toHaveLength(0);
  });

  it("that the disk does not take is dropped, and the run goes on", async () => {
    const { start } = openRuns({}, { dataDir: "/dev/null" });
    const run = await start({ command: "head -c 300000 /dev/zero; echo end" });
    const { text, missed } = await outputOf(run);
    expect(missed + text.length).toBe(300_004);
    expect(missed).toBeGreaterThan(0);
    expect(run.describe()).toMatchObject({ exit_code: 0, truncated_bytes: missed });
  });

  it("cuts no character of a page of text", async () => {
    const { start } = openRuns();
    const run = await start({ command: "printf '\\303\\244\\303\\244\\303\\244'" });
    await run.exited;
    const first = await readPage(run, { ...page, maxBytes: 3 }, needs);
    expect(first).toMatchObject({ chunks: [{ data: "ä" }], next_seq: 2, is_complete: false });
    const rest = await readPage(run, { ...page, after: 2 }, needs);
    expect(rest).toMatchObject({ chunks: [{ data: "ää" }], next_seq: 6, is_complete: true });
  });
});

describe("runs", () => {
  it("are started once, however often they are requested", async () => {
    const { start, runs } = openRuns();
    const body = { id: randomUUID(), command: "echo $$" };
    const [first, second] = await Promise.all([start(body), start(body)]);
    expect(second).toBe(first);
    expect(await start({ ...body, id: body.id.toUpperCase() })).toBe(first);
    expect(runs.list()).toHaveLength(1);
    await expect(start({ ...body, command: "echo other" })).rejects.toMatchObject({
      status: 409,
      reason: "id-taken",
    });
  });

  it("are fenced by their instance", async () => {
    const one = openRuns();
    const other = openRuns();
    const run = await one.start({ command: "true" });
    const gone = expect.objectContaining({ status: 410, reason: "gone" });
    expect(() => other.runs.find(run.id, one.runs.instanceId)).toThrow(gone);
    await expect(
      other.start({ command: "true", instance_id: one.runs.instanceId }),
    ).rejects.toMatchObject({ reason: "gone" });
    expect(() => other.runs.find(run.id)).toThrow(expect.objectContaining({ reason: "not-found" }));
    expect(one.runs.find(run.id, one.runs.instanceId)).toBe(run);
  });

  it("are forgotten after a while, and not started again", async () => {
    const { start, runs, dataDir } = openRuns({ keepMs: 10 });
    const body = { id: randomUUID(), command: "head -c 100000 /dev/zero" };
    const run = await start(body);
    await run.exited;
    await expect.poll(() => runs.list()).toEqual([]);
    await expect(start(body)).rejects.toMatchObject({ status: 410, reason: "forgotten" });
    const files = (): readonly string[] =>
      readdirSync(dataDir, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map(({ name }) => name);
    await expect.poll(files).toEqual([]);
  });

  it("are forgotten by one timer, however many have ended", async () => {
    const keepMs = 60_000;
    let timers = 0;
    const clock: Clock = {
      ...systemClock,
      sleep: async (ms, end) => {
        const isOfKept = ms > keepMs / 2;
        if (isOfKept) timers += 1;
        await systemClock.sleep(ms, end).finally(() => {
          if (isOfKept) timers -= 1;
        });
      },
    };
    const { start, runs } = openRuns({ keepMs, maxKept: 2, maxRunning: 2 }, { clock });
    for (let turn = 0; turn < 6; turn += 1) {
      await (
        await start({ command: "true" })
      ).exited;
      expect(timers).toBe(1);
    }
    expect(runs.list()).toHaveLength(2);
  });

  it("are ended and forgotten in time although the machine's date changes", async () => {
    let offsetMs = 0;
    const clock: Clock = { ...systemClock, now: () => systemClock.now() + offsetMs };
    const { start, runs } = openRuns({ keepMs: 300 }, { clock });
    const ended = await start({ command: "true" });
    await ended.exited;
    const running = await start({ command: "read line", stdin: true, timeout_ms: 60_000 });
    offsetMs = 86_400_000;
    await (
      await start({ command: "true" })
    ).exited;
    offsetMs = -86_400_000;
    await expect.poll(() => runs.list()).toEqual([running]);
    running.input?.close(0);
    await running.exited;
    expect(running.describe()).toMatchObject({ timed_out: false, exit_code: 1 });
    await expect.poll(() => runs.list()).toEqual([]);
  });

  it("take no memory once they are forgotten", async () => {
    setFlagsFromString("--expose-gc");
    const collect: unknown = runInNewContext("gc");
    if (typeof collect !== "function") throw new TypeError("no garbage collection");
    const { start } = openRuns({ maxKept: 2 });
    const started: WeakRef<Run>[] = [];
    for (let turn = 0; turn < 100; turn += 1) {
      const run = await start({ command: "true" });
      await run.exited;
      started.push(new WeakRef(run));
    }
    const living = (): number => {
      collect();
      return started.filter((run) => run.deref() !== undefined).length;
    };
    await expect.poll(living).toBeLessThan(10);
  });

  it("are limited in number", async () => {
    const { start, runs } = openRuns({ maxRunning: 2, maxKept: 3 });
    const [first] = await Promise.all([
      start({ command: "sleep 100" }),
      start({ command: "sleep 100" }),
    ]);
    await expect(start({ command: "true" })).rejects.toMatchObject({
      status: 429,
      reason: "too-many-runs",
    });
    first.signal("SIGKILL");
    await first.exited;
    for (let turn = 0; turn < 5; turn += 1) await (await start({ command: "true" })).exited;
    expect(runs.list()).toHaveLength(3);
  });

  it("leave no files, and end with their instance", async () => {
    const { start, runs, commands, dataDir } = openRuns();
    const run = await start({ command: "head -c 100000 /dev/zero; sleep 1000" });
    await run.output.hasMore(90_000, signal);
    runs.stop();
    await expect(start({ command: "true" })).rejects.toMatchObject({ reason: "gone" });
    await commands.groups.endAll(2_000, signal);
    await run.exited;
    expect(run.describe().signal).toBe("SIGHUP");
    await runs.close();
    expect(existsSync(join(dataDir, dataName)) ? readdirSync(join(dataDir, dataName)) : []).toEqual(
      [],
    );
  });
});
