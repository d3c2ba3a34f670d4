import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { beforeEach, expect, it, onTestFinished } from "vitest";

import { pruneCompiled } from "./prune-compiled.ts";

const dayMs = 24 * 60 * 60_000;
/** Later than all times in the file system. */
const now = Date.now() + 100 * dayMs;
let directory: string;
const at = (name: string): string => join(directory, name);

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "slipway-compiled-"));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  mkdirSync(at("v24.1.0-x64-1"));
  mkdirSync(at("v24.2.0-x64-1"));
});

function write(name: string, { readDays, writtenDays }: Record<string, number>): void {
  writeFileSync(at(name), "code");
  utimesSync(
    at(name),
    (now - (readDays ?? 0) * dayMs) / 1_000,
    (now - (writtenDays ?? 0) * dayMs) / 1_000,
  );
}

function setPruned(ageMs: number): void {
  utimesSync(at("pruned"), (now - ageMs) / 1_000, (now - ageMs) / 1_000);
}

it("removes what was not used for a month, and directories with nothing in them at the next time", () => {
  write("list-1.bin", { readDays: 31, writtenDays: 40 });
  write("show-1.bin", { readDays: 29, writtenDays: 40 });
  write("show-1.bin.1.tmp", { readDays: 31, writtenDays: 31 });
  write("v24.1.0-x64-1/a", { readDays: 31, writtenDays: 31 });
  write("v24.2.0-x64-1/a", { readDays: 31, writtenDays: 31 });
  write("v24.2.0-x64-1/b", { readDays: 40, writtenDays: 1 });
  pruneCompiled(directory, now);
  expect(readdirSync(directory).toSorted()).toEqual([
    "pruned",
    "show-1.bin",
    "v24.1.0-x64-1",
    "v24.2.0-x64-1",
  ]);
  expect(readdirSync(at("v24.2.0-x64-1"))).toEqual(["b"]);
  setPruned(dayMs);
  pruneCompiled(directory, now);
  expect(existsSync(at("v24.1.0-x64-1"))).toBe(false);
});

it("looks once a day, and again after a clock that was wrong", () => {
  pruneCompiled(directory, now);
  setPruned(dayMs - 1_000);
  write("list-1.bin", { readDays: 31, writtenDays: 31 });
  pruneCompiled(directory, now);
  expect(existsSync(at("list-1.bin"))).toBe(true);
  setPruned(-dayMs);
  pruneCompiled(directory, now);
  expect(existsSync(at("list-1.bin"))).toBe(false);
});

it("keeps the files that were used last, and removes the others in steps", () => {
  for (let index = 0; index < 10; index += 1) {
    write(`v24.2.0-x64-1/${index}`, { readDays: index, writtenDays: 10 });
  }
  const names = (): string => readdirSync(at("v24.2.0-x64-1")).toSorted().join("");
  pruneCompiled(directory, now, { maxFiles: 4, maxRemoved: 5 });
  expect(names()).toBe("01234");
  pruneCompiled(directory, now, { maxFiles: 4, maxRemoved: 5 });
  expect(names()).toBe("0123");
});

it("leaves what is neither a file nor a directory of files", () => {
  mkdirSync(at("v24.2.0-x64-1/deeper"));
  pruneCompiled(directory, now);
  expect(existsSync(at("v24.2.0-x64-1/deeper"))).toBe(true);
});
