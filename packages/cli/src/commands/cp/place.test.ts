import { expect, it } from "vitest";

import { isRelative, readPlace } from "./place.ts";

it.each([
  ["demo:", "demo", ""],
  ["demo:a/b", "demo", "a/b"],
  ["demo:~/a", "demo", "~/a"],
  ["demo:/etc/x:y", "demo", "/etc/x:y"],
  ["ada/demo.main:x", "ada/demo.main", "x"],
])("reads %s as a place in a workspace", (text, agent, path) => {
  expect(readPlace(text)).toEqual({ kind: "remote", agent, path });
});

it.each(["a", "./a:b", "/a:b", "../demo:x", "a b:c", ""])(
  "reads %j as a path on this machine",
  (path) => {
    expect(readPlace(path)).toEqual({ kind: "local", path });
  },
);

it("reads - as standard input or output", () => {
  expect(readPlace("-")).toEqual({ kind: "stream" });
});

it("takes what is neither absolute nor below ~ as relative", () => {
  expect(["", "a", "./~", "~a"].filter((path) => isRelative(path))).toHaveLength(4);
  expect(["/", "/a", "~", "~/a"].filter((path) => isRelative(path))).toEqual([]);
});
