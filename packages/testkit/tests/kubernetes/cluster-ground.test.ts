import { readFile, writeFile } from "node:fs/promises";

import { expect, it } from "vitest";

import { openGround } from "../../src/clusters/cluster-ground.ts";

const path = "/proc/sys/kernel/panic";
const setting = async (): Promise<string> => (await readFile(path, "utf8")).trim();

it("the settings of the kernel are those of before, whichever of two clusters closes last", async () => {
  const before = await setting();
  for (const order of ["as they opened", "the other way"]) {
    const grounds = [await openGround()];
    await writeFile(path, "7");
    grounds.push(await openGround());
    if (order === "the other way") grounds.reverse();
    for (const ground of grounds) await ground[Symbol.asyncDispose]();
    expect(await setting()).toBe(before);
  }
});
