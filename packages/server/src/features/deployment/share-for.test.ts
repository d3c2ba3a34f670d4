import { expect, it } from "vitest";

import { shareFor } from "./share-for.ts";

it("asks once in a while and never twice at a time, and shares failures too", async () => {
  let now = 0;
  let asked = 0;
  let answer = Promise.withResolvers<number>();
  const ask = shareFor(1_000, { monotonic: () => now }, () => {
    asked += 1;
    return answer.promise;
  });
  const first = [ask(), ask()];
  now = 5_000;
  first.push(ask());
  answer.resolve(1);
  expect(await Promise.all(first)).toEqual([1, 1, 1]);
  expect(asked).toBe(1);
  answer = Promise.withResolvers();
  answer.reject(new Error("gone"));
  await expect(ask()).rejects.toThrow("gone");
  await expect(ask()).rejects.toThrow("gone");
  expect(asked).toBe(2);
  now = 6_000;
  answer = Promise.withResolvers();
  answer.resolve(3);
  expect(await ask()).toBe(3);
});
