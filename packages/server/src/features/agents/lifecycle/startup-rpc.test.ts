import { expect, it } from "vitest";

import { isVersion } from "./startup-rpc.ts";

it.each(["v2.35.1", "v0.0.0-devel+3f2a1b", "v2", "v2.1", "v1.2.3-rc.1", "v1.2.3+a-b"])(
  "takes %s for a version",
  (text) => {
    expect(isVersion(text)).toBe(true);
  },
);

it.each([
  "",
  "2.35.1",
  "v",
  "v01.2.3",
  "v1.2.3.4",
  "v1.2.3-",
  "v1.2-rc",
  "v1.2.3-a_b",
  `v1.2.3-${"a".repeat(128)}`,
])("refuses %s as a version", (text) => {
  expect(isVersion(text)).toBe(false);
});
