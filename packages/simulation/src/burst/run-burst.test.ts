import { describe, expect, it } from "vitest";

import type { BurstBug } from "./pool-database.ts";
import { type BurstOptions, runBurst } from "./run-burst.ts";

const threeServers: BurstOptions = {
  seed: 1,
  claims: 1_000,
  servers: 3,
  overMs: 0,
  kills: true,
  cores: 4,
  isShared: false,
};

const wrong = ({ lost, doubled, unserved }: Awaited<ReturnType<typeof runBurst>>) => {
  return { lost, doubled, unserved };
};

describe("a burst of claims over three servers, one of which is killed", () => {
  it("gives each user one workspace, and each workspace one user", async () => {
    for (const seed of [1, 2, 3]) {
      const outcome = await runBurst({ ...threeServers, seed });
      expect(wrong(outcome)).toEqual({ lost: 0, doubled: 0, unserved: 0 });
      expect(outcome.times).toHaveLength(1_000);
      expect(outcome.cut).toBeGreaterThan(0);
    }
  });

  it("happens again in the same way for the same seed", async () => {
    const outcome = await runBurst(threeServers);
    expect(await runBurst(threeServers)).toEqual(outcome);
    expect(await runBurst({ ...threeServers, seed: 2 })).not.toEqual(outcome);
  });

  it("sends users away when too many wait, who get their workspaces later", async () => {
    const outcome = await runBurst({ ...threeServers, claims: 4_000 });
    expect(outcome.busy).toBeGreaterThan(0);
    expect(wrong(outcome)).toEqual({ lost: 0, doubled: 0, unserved: 0 });
  });

  it.each<readonly [BurstBug, "lost" | "doubled"]>([
    ["claims what it saw", "doubled"],
    ["names repeat", "doubled"],
    ["answers early", "lost"],
  ])("shows when the server or the database %s", async (bug, found) => {
    expect((await runBurst({ ...threeServers, bug }))[found]).toBeGreaterThan(0);
  });
});

it("takes about as long as measured where everything shares two cores", async () => {
  const { times } = await runBurst({
    ...threeServers,
    servers: 1,
    kills: false,
    cores: 2,
    isShared: true,
  });
  // Measured: 4.8 s (docs/scale.md).
  expect(times[949]).toBeGreaterThan(3_600);
  expect(times[949]).toBeLessThan(6_000);
});
