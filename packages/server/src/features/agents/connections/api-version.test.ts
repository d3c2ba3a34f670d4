import { describe, expect, it } from "vitest";

import { negotiateVersion } from "./api-version.ts";

describe("negotiateVersion", () => {
  it.each(["2.0", "2.9", "2.10"])("takes %s as it is asked for", (version) => {
    expect(negotiateVersion(version)).toBe(version);
  });

  it.each([undefined, ""])("takes %j for 2.0", (version) => {
    expect(negotiateVersion(version)).toBe("2.0");
  });

  it.each([
    ["2", "invalid version string: 2"],
    ["2.1.0", "invalid version string: 2.1.0"],
    ["x.1", "invalid major version: x"],
    ["2.", "invalid minor version: "],
    ["2.-1", "invalid minor version: -1"],
    ["3.0", "server is at version 2.10, behind requested major version 3.0"],
    ["2.11", "server is at version 2.10, behind requested minor version 2.11"],
    ["1.0", "version 1.0 is no longer supported"],
  ])("refuses %j", (version, detail) => {
    expect(() => negotiateVersion(version)).toThrow(
      expect.objectContaining({
        code: "invalid",
        message: "Unknown or unsupported API version",
        validations: [{ field: "version", detail }],
      }),
    );
  });
});
