import { describe, expect, it } from "vitest";

import { mountPathProblem, nestedPaths, templatePathProblem } from "./container-path.ts";

describe("mountPathProblem", () => {
  it.each(["/home/dev", "/data", "/procedures", "/srv/.slipway", "/var/lib/docker data"])(
    "allows %s",
    (path) => {
      expect(mountPathProblem(path)).toBeUndefined();
    },
  );

  it.each([
    "",
    "/",
    "home",
    "/home/",
    "//home",
    "/home/../etc",
    "/./home",
    "/a:b",
    "/a,b",
    "/a\\b",
    "/a\nb",
    `/${"a".repeat(256)}`,
  ])("refuses %j", (path) => {
    expect(mountPathProblem(path)).toContain("wanted an absolute path such as /home/dev");
  });

  it.each(["/.slipway", "/.slipway/bin", "/proc", "/proc/1", "/sys", "/dev", "/dev/shm"])(
    "refuses %s, which the container needs itself",
    (path) => {
      expect(mountPathProblem(path)).toContain("wanted a path outside /");
    },
  );
});

describe("nestedPaths", () => {
  it.each([
    [["/a", "/b", "/ab"], undefined],
    [
      ["/a", "/b", "/a"],
      ["/a", "/a"],
    ],
    [
      ["/a/b", "/c", "/a"],
      ["/a", "/a/b"],
    ],
  ])("finds in %j the pair %j", (paths, pair) => {
    expect(nestedPaths(paths)).toEqual(pair);
  });
});

describe("templatePathProblem", () => {
  it.each([".", "Dockerfile", "docker/Dockerfile.dev"])("allows %s", (path) => {
    expect(templatePathProblem(path)).toBeUndefined();
  });

  it.each(["", "/etc/passwd", "../up", "a/../../b", "a//b", "a/", "./a", "a\\b", "C:x", "a\0b"])(
    "refuses %j",
    (path) => {
      expect(templatePathProblem(path)).toContain("wanted a path relative to slipway.yaml");
    },
  );
});
