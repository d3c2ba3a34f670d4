import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

import { createFakeClock } from "@slipway/testkit";
import { describe, expect, it, onTestFinished } from "vitest";

import { isAlive, openCommandHost, shellCommand } from "../../tests/support/command-host.ts";
import {
  collectMetadata,
  maxValueBytes,
  type MetadataItem,
  type MetadataValue,
} from "./collect-metadata.ts";
import { MetadataOutbox, runMetadata } from "./metadata.ts";

const never = new AbortController().signal;
const run = promisify(execFile);

function item(fields: Partial<MetadataItem>): MetadataItem {
  return { key: "key", script: "echo 1", intervalSeconds: 10, timeoutSeconds: 0, ...fields };
}

const prepare = async (text: string): Promise<ReturnType<typeof shellCommand>> =>
  shellCommand(text);

describe("collectMetadata", () => {
  it("takes both outputs as they are", async () => {
    using commands = openCommandHost();
    const host = { commands, prepare };
    const value = await collectMetadata(item({ script: "echo a; echo b >&2" }), host, never);
    expect(value).toMatchObject({ key: "key", value: "a\nb\n", error: "" });
  });

  it("keeps the value beside the error", async () => {
    using commands = openCommandHost();
    const host = { commands, prepare };
    const value = await collectMetadata(item({ script: "echo a; exit 3" }), host, never);
    expect(value).toMatchObject({ value: "a\n", error: "exit status 3" });
  });

  it("cuts a long value and says so", async () => {
    using commands = openCommandHost();
    const host = { commands, prepare };
    const value = await collectMetadata(item({ script: "yes | head -c 20000" }), host, never);
    expect(value.value).toHaveLength(maxValueBytes);
    expect(value.error).toBe("output has 20000 bytes, cut to 10240");
  });

  it.each([
    [{ timeoutSeconds: 2, intervalSeconds: 60 }, 2],
    [{ timeoutSeconds: 0, intervalSeconds: 5 }, 5],
    [{ timeoutSeconds: 0, intervalSeconds: 0 }, 3],
  ])("kills the whole group when the time of %j is over", async (times, seconds) => {
    const clock = createFakeClock();
    using commands = openCommandHost(clock);
    const script = "trap '' HUP; sleep 1000 & echo $!; wait";
    const collected = collectMetadata(item({ script, ...times }), { commands, prepare }, never);
    await expect.poll(() => clock.sleepers).toBe(1);
    await clock.advance(seconds * 1000);
    const { value, error } = await collected;
    expect(error).toBe(`no end within ${seconds} s`);
    // A killed process counts as alive until its new parent has reaped it.
    await expect.poll(() => value === "" || !isAlive(Number(value))).toBe(true);
  });
});

describe("runMetadata", () => {
  it("collects each item at its interval and reports at most once a second", async () => {
    const clock = createFakeClock();
    using commands = openCommandHost(clock);
    const reports: { readonly atMs: number; readonly keys: string }[] = [];
    const end = new AbortController();
    const startMs = clock.now();
    // No time limit ends a command early, however long it really takes.
    const once = item({ key: "once", intervalSeconds: 0, timeoutSeconds: 3_600 });
    const often = item({ key: "often", intervalSeconds: 2, timeoutSeconds: 3_600 });
    const report = async (values: readonly MetadataValue[]): Promise<void> => {
      const keys = values.map(({ key }) => key).join();
      reports.push({ atMs: clock.now() - startMs, keys });
    };
    const ended = runMetadata([once, often], { commands, prepare }, report, end.signal);
    const count = (key: string): number => reports.filter(({ keys }) => keys.includes(key)).length;
    await expect
      .poll(async () => {
        await clock.advance(250);
        return count("once") === 1 ? count("often") : 0;
      })
      .toBeGreaterThanOrEqual(3);
    expect(count("once")).toBe(1);
    expect(count("often")).toBeLessThanOrEqual(1 + (clock.now() - startMs) / 2_000);
    end.abort(new Error("done"));
    await expect(ended).rejects.toThrow("done");
    const gaps = reports.slice(1).map(({ atMs }, index) => atMs - (reports[index]?.atMs ?? 0));
    expect(gaps.every((gap) => gap >= 1_000)).toBe(true);
  });

  it("follows a run that takes too long with one run, not with those that it has missed", async () => {
    const folder = mkdtempSync(join(tmpdir(), "slipway-metadata-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const pipe = join(folder, "pipe");
    await run("mkfifo", [pipe]);
    const clock = createFakeClock();
    using commands = openCommandHost(clock);
    const end = new AbortController();
    let runs = 0;
    const counted = async (): Promise<ReturnType<typeof shellCommand>> => {
      runs += 1;
      return shellCommand(runs === 1 ? `cat ${pipe}` : `echo ${runs}`);
    };
    let newest = 0;
    const report = async (values: readonly MetadataValue[]): Promise<void> => {
      newest = Math.max(newest, ...values.map(({ value }) => Number(value)));
    };
    const slow = item({ intervalSeconds: 2, timeoutSeconds: 3_600 });
    const ended = runMetadata([slow], { commands, prepare: counted }, report, end.signal);
    await expect.poll(() => runs).toBe(1);
    await clock.advance(10_000);
    const releasedMs = clock.now();
    await run("/bin/sh", ["-c", `echo > ${pipe}`]);
    await expect
      .poll(
        async () => {
          await clock.advance(250);
          return newest;
        },
        { timeout: 10_000 },
      )
      .toBeGreaterThanOrEqual(4);
    expect(runs).toBeLessThanOrEqual(2 + (clock.now() - releasedMs) / 2_000);
    end.abort(new Error("done"));
    await expect(ended).rejects.toThrow("done");
  });

  it("ends with a report that fails", async () => {
    using commands = openCommandHost();
    const report = async (): Promise<void> => {
      throw new Error("refused");
    };
    await expect(runMetadata([item({})], { commands, prepare }, report, never)).rejects.toThrow(
      "refused",
    );
  });
});

describe("MetadataOutbox", () => {
  const value = (key: string, text = ""): MetadataValue => ({
    key,
    value: text,
    error: "",
    collectedAtMs: 0,
  });

  it("keeps the newest value of a key", () => {
    const outbox = new MetadataOutbox();
    outbox.put(value("a", "1"));
    outbox.put(value("b", "1"));
    outbox.put(value("a", "2"));
    expect(outbox.take().map(({ key, value: text }) => key + text)).toEqual(["b1", "a2"]);
    expect(outbox.isEmpty).toBe(true);
  });

  it("spreads keys over several reports where a server would refuse them in one", () => {
    const outbox = new MetadataOutbox();
    for (let index = 0; index < 7; index += 1) outbox.put(value(String(index).repeat(1_500)));
    expect(outbox.take()).toHaveLength(4);
    expect(outbox.take()).toHaveLength(3);
  });
});
