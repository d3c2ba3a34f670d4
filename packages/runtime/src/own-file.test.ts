import { execFileSync } from "node:child_process";
import {
  chmodSync,
  closeSync,
  constants,
  linkSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { openFiles } from "@slipway/testkit/open-files";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";

import { openOwnFile, openOwnFileSync, type OwnFileOptions } from "./own-file.ts";

let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "slipway-own-"));
  path = join(folder, "agent.log");
  onTestFinished(() => rmSync(folder, { recursive: true }));
});

const appended: OwnFileOptions = { write: "append", mode: 0o600 };

/** Both entry points: each opens the file, writes a text and closes it. */
const ways = [
  {
    name: "openOwnFile",
    write: async (options: OwnFileOptions, text: string) => {
      await using file = await openOwnFile(path, options);
      await file.write(text);
    },
  },
  {
    name: "openOwnFileSync",
    write: async (options: OwnFileOptions, text: string) => {
      const fd = openOwnFileSync(path, options);
      writeSync(fd, text);
      closeSync(fd);
    },
  },
];

describe.each(ways)("$name", ({ write }) => {
  it("makes a file, appends to it, and overwrites it without a cut", async () => {
    await write(appended, "one,");
    expect(statSync(path).mode & 0o777).toBe(0o600);
    await write(appended, "two");
    await write({ write: "overwrite", mode: 0o600 }, "ONE");
    expect(readFileSync(path, "utf8")).toBe("ONE,two");
  });

  it.each([
    ["of the same user", () => writeFileSync(join(folder, "bashrc"), "precious")],
    ["that is missing", () => undefined],
  ])("follows no link to a file %s", async (_, prepare) => {
    prepare();
    symlinkSync(join(folder, "bashrc"), path);
    await expect(write(appended, "x")).rejects.toMatchObject({ code: "ELOOP" });
    // The file is neither changed nor created.
    const target = statSync(join(folder, "bashrc"), { throwIfNoEntry: false });
    expect([undefined, "precious".length]).toContain(target?.size);
  });

  it("writes no file that has another name", async () => {
    writeFileSync(join(folder, "bashrc"), "precious");
    linkSync(join(folder, "bashrc"), path);
    await expect(write(appended, "x")).rejects.toMatchObject({ code: "not-own" });
    expect(readFileSync(path, "utf8")).toBe("precious");
    expect(openFiles().filter((name) => name.startsWith(folder))).toEqual([]);
  });

  it("waits for nobody at a pipe, whether somebody reads it or not", async () => {
    execFileSync("mkfifo", [path]);
    await expect(write(appended, "x")).rejects.toMatchObject({ code: "ENXIO" });
    const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    onTestFinished(() => closeSync(reader));
    await expect(write(appended, "x")).rejects.toMatchObject({ code: "not-own" });
  });

  it("takes the right to write from others, and leaves them that to read", async () => {
    writeFileSync(path, "");
    chmodSync(path, 0o666);
    await write(appended, "x");
    expect(statSync(path).mode & 0o777).toBe(0o644);
  });

  it.runIf(process.geteuid?.() === 0)("writes no file of another user", async () => {
    writeFileSync(path, "theirs");
    execFileSync("chown", ["12345", path]);
    await expect(write(appended, "x")).rejects.toMatchObject({
      code: "not-own",
      message: `${path} belongs to another user`,
    });
    expect(readFileSync(path, "utf8")).toBe("theirs");
  });
});
