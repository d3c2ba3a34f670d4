import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, describe, expect, it } from "vitest";

import { OutputPipes } from "./output-pipes.ts";

const folder = mkdtempSync(join(tmpdir(), "slipway-output-"));
afterAll(() => rmSync(folder, { recursive: true }));

function fifos(): string[] {
  return readdirSync(folder, { recursive: true })
    .map(String)
    .filter((name) => name.includes("/"));
}

describe("OutputPipes", () => {
  it("uses a pipe again once its writers have gone, and removes its directory", async () => {
    using pipes = new OutputPipes(folder);
    for (let round = 0; round < 3; round += 1) {
      const [pipe] = await pipes.open(1);
      if (pipe === undefined) throw new Error("no pipe");
      writeSync(pipe.writeFd, `round ${round}`);
      pipe.closeWriteEnd();
      const closed = once(pipe.reader, "close");
      expect(Buffer.concat(await pipe.reader.toArray()).toString()).toBe(`round ${round}`);
      await closed;
    }
    expect(fifos()).toHaveLength(1);
    pipes[Symbol.dispose]();
    expect(readdirSync(folder)).toEqual([]);
  });

  it("gives up a pipe that was cut while somebody could write", async () => {
    using pipes = new OutputPipes(folder);
    const [pipe] = await pipes.open(1);
    if (pipe === undefined) throw new Error("no pipe");
    pipe.reader.destroy();
    await expect.poll(() => fifos()).toEqual([]);
    pipe.closeWriteEnd();
  });

  it("refuses where none can be made", async () => {
    using pipes = new OutputPipes(join(folder, "absent"));
    await expect(pipes.open(1)).rejects.toThrow("ENOENT");
  });
});
