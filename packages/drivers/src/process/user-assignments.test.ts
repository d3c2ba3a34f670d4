import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

import { afterEach, beforeEach, expect, it } from "vitest";

import { UserAssignments } from "./user-assignments.ts";

let root: string;
let assignments: UserAssignments;

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), "slipway-users-"));
  assignments = await UserAssignments.open({ first: 7_000, last: 7_001 }, [root]);
});

afterEach(() => rmSync(root, { recursive: true }));

/** Returns the user of a workspace, whose directory is made. */
function assign(name: string, isFree: (uid: number) => boolean = () => true): number {
  const directory = join(root, name);
  mkdirSync(directory, { recursive: true });
  return assignments.assign(directory, undefined, isFree);
}

it("assigns no user of a workspace that exists to another", () => {
  expect([assign("one"), assign("two"), assign("one")]).toEqual([7_000, 7_001, 7_000]);
  expect(() => assign("three")).toThrow("all users from 7000 to 7001 are assigned");
  rmSync(join(root, "one"), { recursive: true });
  expect(assign("three")).toBe(7_000);
});

it("lets no other server assign a user until it has assigned one", () => {
  assign("one");
  using other = new DatabaseSync(join(root, "assignments.sqlite"), { timeout: 0 });
  const begin = (): void => other.exec("begin immediate");
  assign("two", () => {
    expect(begin).toThrow("database is locked");
    return true;
  });
  begin();
});
