import { expect, it } from "vitest";

import { runOnMany } from "./run-on-many.ts";

const workspaces = Array.from({ length: 10 }, (_, at) => ({
  id: String(at),
  name: `dev-${at}`,
  owner_name: "ann",
}));

it("acts on all, four at a time, and tells which failed", async () => {
  let running = 0;
  let most = 0;
  const progress: number[] = [];
  const { failed } = await runOnMany(
    workspaces,
    async ({ id }) => {
      running += 1;
      most = Math.max(most, running);
      await Promise.resolve();
      running -= 1;
      if (id === "3") throw new Error("it is building");
    },
    (done) => progress.push(done),
  );
  expect(failed).toEqual([{ workspace: workspaces[3], message: "it is building" }]);
  expect(most).toBe(4);
  expect(progress).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
});
