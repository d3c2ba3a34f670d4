import { expect, it } from "vitest";

import { readAgentReference, readHost } from "./agent-reference.ts";

const id = "0190a1b2-0000-7000-8000-000000000001";

it.each([
  ["demo", "demo", undefined],
  ["demo.main", "demo", "main"],
  ["ada/demo", "ada/demo", undefined],
  ["ada/demo.main_2", "ada/demo", "main_2"],
  [id, id, undefined],
  [`${id}.main`, id, "main"],
])("reads %s", (text, workspace, agent) => {
  expect(readAgentReference(text)).toEqual({ workspace, agent });
});

it.each([
  ["demo", "demo", undefined],
  ["demo.main", "demo", "main"],
  ["ada/demo", "ada/demo", undefined],
  ["ada--demo", "ada/demo", undefined],
  ["ada/demo.main", "ada/demo", "main"],
  ["ada--demo--main", "ada/demo", "main"],
  ["ada--demo.main", "ada/demo", "main"],
  ["main.demo.ada", "ada/demo", "main"],
  [id, id, undefined],
])("reads the host %s", (text, workspace, agent) => {
  expect(readHost(text, { prefix: undefined, suffix: undefined })).toEqual({ workspace, agent });
});

it.each([
  ["coder.ada--demo", "coder.", undefined, "ada/demo", undefined],
  ["demo.coder", undefined, "coder", "demo", undefined],
  ["main.demo.ada.coder", undefined, "coder", "ada/demo", "main"],
  // The prefix wins.
  ["coder.demo.coder", "coder.", "coder", "demo", "coder"],
  ["demo", "", "", "demo", undefined],
])(
  "reads the host %s with the prefix %s and suffix %s",
  (text, prefix, suffix, workspace, agent) => {
    expect(readHost(text, { prefix, suffix })).toEqual({ workspace, agent });
  },
);

it.each(["demo.", "demo.a b", "a.b.c", "demo.main.x"])("refuses %j", (text) => {
  expect(() => readAgentReference(text)).toThrow("wanted [owner/]workspace[.agent]");
});

it.each(["a/b/c/d", "a.b.c.d", "demo.a b"])("refuses the host %j", (text) => {
  expect(() => readHost(text, { prefix: undefined, suffix: undefined })).toThrow(
    "wanted [owner/]workspace[.agent]",
  );
});

it.each(["", "-", "a b", "/demo"])("refuses the workspace of %j", (text) => {
  expect(() => readAgentReference(text)).toThrow("is not a workspace");
  expect(() => readHost(text, { prefix: undefined, suffix: undefined })).toThrow(
    "is not a workspace",
  );
});
