import { describe, expect, it } from "vitest";

import { explore, replay } from "./explore.ts";
import { profileOf } from "./world/profile.ts";

const own = { kind: "own" } as const;

describe("claims in a world where things go wrong", () => {
  it("keep S1 to S13 and L1 to L8", { timeout: 120_000 }, async () => {
    const { seeds, steps, found } = await explore(own, { from: 1, count: 20 });
    expect(found).toBeUndefined();
    expect(seeds).toBe(20);
    expect(steps).toBeGreaterThan(20_000);
  });

  it("are those of stock agents in some worlds", () => {
    const seeds = Array.from({ length: 100 }, (_, index) => index + 1);
    const stock = seeds.filter((seed) => profileOf(seed).agentKind === "frames");
    expect(stock.length).toBeGreaterThan(20);
    expect(stock.length).toBeLessThan(40);
  });

  it("happen again in the same way for the same seed", async () => {
    const { hash, lines } = await replay(own, 7);
    expect(lines.length).toBeGreaterThan(50);
    expect((await replay(own, 7)).hash).toBe(hash);
    expect((await replay(own, 8)).hash).not.toBe(hash);
  });
});
