import { expect, it } from "vitest";

import { migrations } from "./migrations.ts";

const numbers = Object.keys(migrations).map((name) => name.split("-", 1)[0]);

/** The numbers that two released migrations have: renaming one would apply it again. */
const shared = ["0018"];

it("gives each migration a number that no other one has", () => {
  const repeated = numbers.filter((number, index) => numbers.indexOf(number) !== index);
  expect(repeated).toEqual(shared);
});

it("lists the migrations in the order in which they are applied", () => {
  const names = Object.keys(migrations);
  expect(names).toEqual(names.toSorted());
});
