import { execFileSync } from "node:child_process";

import { expect, it } from "vitest";

import { shellWord } from "./shell-word.ts";

it.each([
  "htop",
  "/a/b-c.d",
  "",
  "a b",
  "it's",
  "a; exit 1",
  "$(exit 1)`exit 1`",
  "a\nb",
  "*",
  "~",
])("is one word for a shell, with the same text: %j", (text) => {
  expect(execFileSync("sh", ["-c", `printf '<%s>' ${shellWord(text)}`]).toString()).toBe(
    `<${text}>`,
  );
});

it("leaves a plain word as it is", () => {
  expect(shellWord("/opt/slip-way_1.0")).toBe("/opt/slip-way_1.0");
});
