import { describe, expect, it } from "vitest";

import { readOnce } from "./read-once.ts";

describe("readOnce", () => {
  it("reads once for all who ask, at the first call", async () => {
    let reads = 0;
    const read = readOnce(() => {
      reads += 1;
      return Promise.resolve({});
    });
    expect(reads).toBe(0);
    const [first, second] = await Promise.all([read(), read()]);
    expect(second).toBe(first);
    expect(await read()).toBe(first);
    expect(reads).toBe(1);
  });

  it("reads again after a failure, which all who waited for it get", async () => {
    let reads = 0;
    const read = readOnce(() => {
      reads += 1;
      if (reads === 1) throw new Error("too many open files");
      return reads;
    });
    const failed = await Promise.allSettled([read(), read()]);
    expect(failed.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    expect(await read()).toBe(2);
    expect(await read()).toBe(2);
  });
});
