import { Readable } from "node:stream";

import { expect, it } from "vitest";

import { readBounded } from "./read-bounded.ts";

it("reads a body of at most so many bytes whole", async () => {
  const body = Readable.from([Buffer.from("ab"), Buffer.alloc(0), Buffer.from("c")]);
  expect((await readBounded(body, 3))?.toString()).toBe("abc");
  expect((await readBounded(Readable.from([]), 0))?.length).toBe(0);
});

it("reads no further than the limit, and closes the body", async () => {
  let sent = 0;
  const endless = Readable.from(
    (async function* () {
      for (;;) {
        sent += 1;
        yield Buffer.alloc(2);
      }
    })(),
    { objectMode: false, highWaterMark: 2 },
  );
  expect(await readBounded(endless, 3)).toBeUndefined();
  expect(sent).toBeLessThan(10);
  expect(endless.destroyed).toBe(true);
});

it("throws the error of the body", async () => {
  const broken = new Readable({ read: () => undefined });
  broken.destroy(new Error("cut off"));
  await expect(readBounded(broken, 3)).rejects.toThrow("cut off");
});
