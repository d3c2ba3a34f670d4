import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { beforeEach, expect, it, onTestFinished } from "vitest";

import { maxConfigBytes, readConfigFile, writeConfigFile } from "./config-file.ts";

let folder = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "slipway-config-file-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
});

it("creates the file and its directory for their owner alone", async () => {
  const path = join(folder, ".ssh", "config");
  const file = await readConfigFile(path);
  expect(file.text).toBe("");
  await writeConfigFile(file, "Host a\n");
  expect(readFileSync(path, "utf8")).toBe("Host a\n");
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(statSync(join(folder, ".ssh")).mode & 0o777).toBe(0o700);
});

it("keeps the mode, and leaves nothing else behind", async () => {
  const path = join(folder, "config");
  writeFileSync(path, "one");
  chmodSync(path, 0o640);
  await writeConfigFile(await readConfigFile(path), "two");
  expect(readFileSync(path, "utf8")).toBe("two");
  expect(statSync(path).mode & 0o777).toBe(0o640);
  expect(readdirSync(folder)).toEqual(["config"]);
});

it("writes through links, also to a file that is not there yet", async () => {
  mkdirSync(join(folder, "dotfiles"));
  const target = join(folder, "dotfiles", "ssh-config");
  const link = join(folder, "config");
  symlinkSync("middle", link);
  symlinkSync("dotfiles/ssh-config", join(folder, "middle"));
  await writeConfigFile(await readConfigFile(link), "one");
  expect(readFileSync(target, "utf8")).toBe("one");
  await writeConfigFile(await readConfigFile(link), "two");
  expect(readFileSync(target, "utf8")).toBe("two");
  expect(lstatSync(link).isSymbolicLink()).toBe(true);
});

it("refuses to overwrite what somebody else has written meanwhile", async () => {
  const path = join(folder, "config");
  writeFileSync(path, "one");
  const file = await readConfigFile(path);
  writeFileSync(path, "theirs");
  await expect(writeConfigFile(file, "two")).rejects.toThrow("has changed meanwhile");
  expect(readFileSync(path, "utf8")).toBe("theirs");
});

it("reads no directory, no endless file, no circle of links and nothing but text", async () => {
  await expect(readConfigFile(folder)).rejects.toThrow("is not a file");
  const large = join(folder, "large");
  writeFileSync(large, "#".repeat(maxConfigBytes + 1));
  await expect(readConfigFile(large)).rejects.toThrow("wanted at most 1048576");
  const circle = join(folder, "circle");
  symlinkSync("circle", circle);
  await expect(readConfigFile(circle)).rejects.toThrow("ELOOP");
  const bytes = join(folder, "bytes");
  writeFileSync(bytes, Buffer.of(0x23, 0xff, 0x0a));
  await expect(readConfigFile(bytes)).rejects.toThrow("is not a text in UTF-8");
  await expect(readConfigFile("/dev/null")).rejects.toThrow("is not a file");
});

it("names the file that it cannot write", async () => {
  // The name of the new file beside it is too long.
  const path = join(folder, "c".repeat(255));
  const writing = writeConfigFile(await readConfigFile(path), "Host a\n");
  await expect(writing).rejects.toMatchObject({
    message: `cannot write ${path}`,
    hint: "choose another file with --ssh-config-file",
  });
});
