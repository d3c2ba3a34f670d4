import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect, it, onTestFinished } from "vitest";

import { stripElf } from "./strip-elf.ts";

const native = createRequire(import.meta.url).resolve("sodium-native/package.json");
const prebuild = (architecture: string): Buffer =>
  readFileSync(join(native, `../prebuilds/linux-${architecture}/sodium-native.node`));

it.each(["x64", "arm64"])("makes an addon for %s smaller, and once only", (architecture) => {
  const file = prebuild(architecture);
  const stripped = stripElf(file);
  expect(stripped.length).toBeLessThan(file.length);
  expect(stripElf(stripped)).toEqual(stripped);
  // Everything except three header fields is unchanged.
  expect(stripped.subarray(64)).toEqual(file.subarray(64, stripped.length));
});

it.runIf(process.platform === "linux")("leaves a program that runs", () => {
  const directory = mkdtempSync(join(tmpdir(), "slipway-strip-"));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const program = join(directory, "node");
  writeFileSync(program, stripElf(readFileSync(process.execPath)));
  chmodSync(program, 0o755);
  const { stdout } = spawnSync(program, ["-p", "process.version"], { encoding: "utf8" });
  expect(stdout).toBe(`${process.version}\n`);
});

it("refuses every other file, and each cut of one", () => {
  const file = stripElf(prebuild("x64"));
  for (const length of [0, 5, 63, 64, 100, 500, file.length - 1]) {
    expect(() => stripElf(file.subarray(0, length)), `${length} bytes`).toThrow();
  }
  expect(() => stripElf(Buffer.from("#!/bin/sh\n".repeat(20)))).toThrow("not a 64-bit");
});
