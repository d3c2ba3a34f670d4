import { expect, it } from "vitest";

import { parameterChanges } from "./parameter-changes.ts";

const values = (all: Readonly<Record<string, string>>) =>
  Object.entries(all).map(([name, value]) => ({ name, value }));

it("tells what a build changed, in the order of the names", () => {
  const changes = parameterChanges(
    values({ size: "large", region: "eu", extra: "1" }),
    values({ size: "small", region: "eu", gone: "x" }),
  );
  expect(changes.map(({ name, kind }) => [name, kind])).toEqual([
    ["extra", "added"],
    ["gone", "removed"],
    ["region", "same"],
    ["size", "changed"],
  ]);
});

it("orders numbers in names by their value", () => {
  const changes = parameterChanges(values({ disk_10: "1", disk_2: "1", Disk_1: "1" }), undefined);
  expect(changes.map(({ name }) => name)).toEqual(["Disk_1", "disk_2", "disk_10"]);
});

it("calls nothing changed in the first build", () => {
  expect(parameterChanges(values({ a: "1" }), undefined)).toEqual([
    { name: "a", value: "1", before: "1", kind: "same" },
  ]);
});
