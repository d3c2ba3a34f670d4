import { describe, expect, it } from "vitest";

import { explore, replay } from "../../src/explore.ts";
import { plantedBugs } from "../../src/planted-bugs/planted-bugs.ts";

/** The maximum number of worlds in which a planted bug must be found; none needs that many. */
const patience = 60;

describe.each(plantedBugs)("the planted bug $name", ({ name, firstSeed = 1 }) => {
  it("is found, and its world is well without it", { timeout: 120_000 }, async () => {
    const { found } = await explore(
      { kind: "bug", bug: name },
      { from: firstSeed, count: patience },
    );
    expect(found?.text).toEqual(expect.any(String));
    const without = { kind: "without", bug: name } as const;
    const seed = found?.seed ?? 0;
    expect((await explore(without, { from: seed, count: 1 })).found).toBeUndefined();
    const replayed = await replay({ kind: "bug", bug: name }, seed);
    expect(replayed.violation).toBe(found?.text);
    expect(replayed.lines.length).toBeGreaterThan(3);
  });
});
