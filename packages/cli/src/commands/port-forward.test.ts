import { expect, it } from "vitest";

import { calmReporter } from "./port-forward.ts";

it("repeats itself once a second at most", () => {
  const said: string[] = [];
  let nowMs = 0;
  const report = calmReporter((text) => said.push(text), { monotonic: () => nowMs });
  for (const [atMs, text] of [
    [0, "a"],
    [10, "a"],
    [20, "b"],
    [500, "b"],
    [1019, "b"],
    [1020, "b"],
    [1030, "a"],
  ] as const) {
    nowMs = atMs;
    report(text);
  }
  expect(said).toEqual(["a", "b", "b", "a"]);
});
