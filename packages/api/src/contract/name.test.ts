import { describe, expect, it } from "vitest";

import { maxNameLength, nameProblem } from "./name.ts";

describe("nameProblem", () => {
  it("takes letters and digits with single dashes between them", () => {
    const names = ["a", "Dev", "my-workspace-2", "0", "a".repeat(maxNameLength), "newer"];
    expect(names.map(nameProblem)).toEqual(names.map(() => undefined));
  });

  it("says how long a name may be and how long it is", () => {
    expect(nameProblem("")).toBe("must have 1 to 32 characters, found 0");
    expect(nameProblem("a".repeat(33))).toBe("must have 1 to 32 characters, found 33");
  });

  it.each(["-a", "a-", "a--b", "a b", "a_b", "a.b", "ä", "a\n", "@me"])("refuses %j", (name) => {
    expect(nameProblem(name)).toBe(
      `must be letters and digits with single dashes between them, found "${name}"`,
    );
  });

  it.each(["new", "create"])("refuses %s, which is a path of the dashboard", (name) => {
    expect(nameProblem(name)).toBe(`must not be "${name}", which is reserved`);
  });
});
