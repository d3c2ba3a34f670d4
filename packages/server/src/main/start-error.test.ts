import { appendFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { openDataDirectory } from "./data-directory.ts";
import { explainStartError } from "./start-error.ts";

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "slipway-test-"));
});

afterEach(() => rm(directory, { recursive: true, force: true }));

/** Returns the exit code and the output of a start that fails with this error. */
async function explained(program: () => Promise<unknown>): Promise<readonly [number, string]> {
  let printed = "";
  const code = await explainStartError(
    async () => {
      await program();
      return 0;
    },
    (text) => (printed += text),
  );
  return [code, printed];
}

describe("explainStartError", () => {
  it("says what is full and what to do", async () => {
    expect(await explained(() => appendFile("/dev/full", "text"))).toEqual([
      1,
      "error: no space left on device; free space, or choose another data directory with SLIPWAY_DATA_DIR\n",
    ]);
  });

  it("says why a data directory cannot be used, and which setting names it", async () => {
    const file = join(directory, "file");
    await writeFile(file, "");
    const wanted = join(file, "data");
    expect(await explained(() => openDataDirectory(wanted))).toEqual([
      1,
      `error: cannot use the data directory ${wanted}: not a directory: ${wanted}; choose another with SLIPWAY_DATA_DIR\n`,
    ]);
  });

  it("throws an error that nobody foresaw", async () => {
    const bug = new TypeError("bug");
    await expect(explained(() => Promise.reject(bug))).rejects.toBe(bug);
  });
});
