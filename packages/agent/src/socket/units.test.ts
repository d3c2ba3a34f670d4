import fc from "fast-check";
import { expect, it } from "vitest";

import { UnitError, type UnitErrorCode, unitLimits, Units } from "./units.ts";

function codeOf(change: () => void): UnitErrorCode | undefined {
  try {
    change();
    return undefined;
  } catch (error) {
    if (error instanceof UnitError) return error.code;
    throw error;
  }
}

it("lets a unit start once all that it waits for is completed", () => {
  const units = new Units();
  units.want("app", "database");
  units.want("app", "cache");
  expect(units.isReady("app")).toBe(false);
  expect(codeOf(() => units.start("app"))).toBe("not-ready");
  for (const unit of ["database", "cache"]) {
    expect(units.isReady("app")).toBe(false);
    units.start(unit);
    units.complete(unit);
  }
  units.start("app");
  expect(units.list()).toEqual([
    { unit: "app", status: "started", isReady: true },
    { unit: "cache", status: "completed", isReady: true },
    { unit: "database", status: "completed", isReady: true },
  ]);
});

it("takes an unknown unit for one that could start", () => {
  const units = new Units();
  expect([units.isReady("a"), units.status("a"), units.dependencies("a")]).toEqual([true, "", []]);
  expect(units.list()).toEqual([]);
});

it("refuses what has happened already, and lets a completed unit start again", () => {
  const units = new Units();
  expect(codeOf(() => units.complete("a"))).toBe("unknown-unit");
  units.start("a");
  expect(codeOf(() => units.start("a"))).toBe("same-status");
  units.complete("a");
  expect(codeOf(() => units.complete("a"))).toBe("same-status");
  units.start("a");
  expect(units.status("a")).toBe("started");
});

it("waits again for a dependency that starts again", () => {
  const units = new Units();
  units.want("b", "a");
  units.start("a");
  units.complete("a");
  expect(units.isReady("b")).toBe(true);
  units.start("a");
  expect(units.isReady("b")).toBe(false);
  expect(units.dependencies("b")).toEqual([{ dependsOn: "a", status: "started" }]);
});

it.each([
  [[["a", "a"]]],
  [
    [
      ["a", "b"],
      ["b", "a"],
    ],
  ],
  [
    [
      ["a", "b"],
      ["b", "c"],
      ["c", "a"],
    ],
  ],
])("refuses a cycle: %j", (wants) => {
  const units = new Units();
  const codes = wants.map(([unit = "", other = ""]) => codeOf(() => units.want(unit, other)));
  expect(codes).toEqual([...wants.slice(1).map(() => undefined), "cycle"]);
});

it("takes a dependency that is declared twice once", () => {
  const units = new Units();
  for (let time = 0; time < unitLimits.maxDependencies + 1; time += 1) units.want("a", "b");
  expect(units.dependencies("a")).toHaveLength(1);
});

it("remembers thousands of units, and refuses more than its limits", () => {
  const { maxUnits, maxDependencies, maxNameBytes } = unitLimits;
  const units = new Units();
  for (let unit = 1; unit < maxUnits; unit += 1) units.want(`u${unit}`, `u${unit - 1}`);
  units.start("u0");
  expect(codeOf(() => units.start("another"))).toBe("too-many");
  expect(codeOf(() => units.want("u0", `u${maxUnits - 1}`))).toBe("cycle");
  for (let other = units.list().length; other <= maxDependencies; other += 1) {
    units.want("u1", `other ${other}`);
  }
  expect(codeOf(() => units.want("u1", "one more"))).toBe("too-many");
  expect(codeOf(() => units.start("é".repeat(maxNameBytes / 2)))).toBe("too-many");
  expect(codeOf(() => units.isReady("é".repeat(maxNameBytes / 2 + 1)))).toBe("long-name");
  expect(codeOf(() => units.start(""))).toBe("no-name");
});

it("never lets a unit start before its dependencies are completed, whatever is asked", () => {
  const name = fc.constantFrom("a", "b", "c", "d", "e");
  const step = fc.tuple(fc.constantFrom("want", "start", "complete"), name, name);
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const units = new Units();
      for (const [what, unit, other] of steps) {
        const before = units.status(unit);
        const waits = units.dependencies(unit).some(({ status }) => status !== "completed");
        const code = codeOf(() => {
          if (what === "want") units.want(unit, other);
          else if (what === "start") units.start(unit);
          else units.complete(unit);
        });
        const isRefused = code !== undefined;
        const mayStart = !waits && before !== "started";
        expect(what === "start" ? isRefused : !mayStart).toBe(!mayStart);
        expect(what === "want" && unit === other ? code : "cycle").toBe("cycle");
        expect(units.isReady(unit)).toBe(
          units.dependencies(unit).every(({ status }) => status === "completed"),
        );
      }
    }),
  );
});
