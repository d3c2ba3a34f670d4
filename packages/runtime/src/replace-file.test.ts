import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { replaceFile } from "./replace-file.ts";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "slipway-replace-"));
});
afterEach(() => rm(directory, { recursive: true }));

describe("replaceFile", () => {
  it.each([false, true])("writes a file with its permissions, durable: %s", async (isDurable) => {
    const path = join(directory, "file");
    await writeFile(path, "the old one is longer", { mode: 0o644 });
    await replaceFile(path, "new", { mode: 0o777, isDurable });
    expect(await readFile(path, "utf8")).toBe("new");
    expect((await stat(path)).mode & 0o777).toBe(0o777);
    expect(await readdir(directory)).toEqual(["file"]);
  });

  it("leaves nothing behind when it fails", async () => {
    const path = join(directory, "taken");
    await mkdir(path);
    await expect(replaceFile(path, "new", { mode: 0o600 })).rejects.toThrow(/EISDIR|ENOTEMPTY/);
    expect(await readdir(directory)).toEqual(["taken"]);
  });
});
