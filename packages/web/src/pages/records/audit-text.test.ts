import { describe, expect, it } from "vitest";

import { sentenceOf, valueText, wordsOf } from "./audit-text.ts";

describe("the sentence of an entry", () => {
  it("has the names of its user and its target", () => {
    const parts = sentenceOf({
      description: "{user} created workspace {target}",
      resource_target: "dev {user}",
      user: null,
    });
    expect(parts.map(({ text }) => text).join("")).toBe("the server created workspace dev {user}");
    expect(parts.map(({ isName }) => isName)).toEqual([true, false, true]);
  });

  it("writes abbreviations in capitals, but names as they are", () => {
    const parts = sentenceOf({
      description: "{user} created api key {target}",
      resource_target: "my-api",
      user: null,
    });
    expect(parts.map(({ text }) => text).join("")).toBe("the server created API key my-api");
  });
});

it("writes values in one line", () => {
  expect(valueText("a")).toBe("a");
  expect(valueText("")).toBe("—");
  expect(valueText(null)).toBe("—");
  expect(valueText(["a", 1])).toBe('["a",1]');
  expect(valueText(false)).toBe("false");
});

it("writes names of kinds as words", () => {
  expect(wordsOf("workspace_build")).toBe("Workspace build");
});
