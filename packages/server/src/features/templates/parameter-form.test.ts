import { describe, expect, it } from "vitest";

import { FormPace } from "./parameter-form.ts";

describe("the pace of forms", () => {
  it("is one answer in 50 ms for a user, whatever number of forms they have open", () => {
    let now = 1_000;
    const pace = new FormPace({ monotonic: () => now });
    expect([1, 2, 3].map(() => pace.reserve("ann"))).toEqual([0, 50, 100]);
    expect(pace.reserve("bob")).toBe(0);
    now += 120;
    expect(pace.reserve("ann")).toBe(30);
    now += 10_000;
    expect(pace.reserve("ann")).toBe(0);
  });

  it("forgets nobody whose turn is still to come", () => {
    let now = 0;
    const pace = new FormPace({ monotonic: () => now });
    for (let user = 0; user < 1_000; user += 1) pace.reserve(`user-${user}`);
    pace.reserve("ann");
    expect(pace.reserve("ann")).toBe(50);
    now += 60;
    pace.reserve("bob");
    expect(pace.reserve("ann")).toBe(40);
  });
});
