import { expect, it } from "vitest";

import { cleanMessage, cleanUri } from "./app-status-service.ts";

it.each([
  ["  two\n\tlines  ", "two lines"],
  ["\u001B[31mred\u001B[0m text", "red text"],
  ["<b>bold</b> and <script src=x>run", "bold and run"],
  ["1 < 2 and 3 > 2", "1 < 2 and 3 > 2"],
  ["bell\u0007 nul\0", "bell nul"],
  ["see \u202Egpj.exe\u202C and \u2066more\u2069", "see gpj.exe and more"],
  ["\u05E9\u05DC\u05D5\u05DD\u200F!", "\u05E9\u05DC\u05D5\u05DD\u200F!"],
])("makes %j plain", (text, clean) => {
  expect(cleanMessage(text)).toBe(clean);
});

it.each(["https://example.com/pull/1", "file:///home/ada/report.md", "vscode://file/a", "/a", ""])(
  "keeps the address %j",
  (uri) => {
    expect(cleanUri(uri)).toBe(uri);
  },
);

it.each(["javascript:alert(1)", " java\nscript:alert(1)", "DATA:text/html,x", "vbscript:x"])(
  "drops the address %j, which would run in the page that links to it",
  (uri) => {
    expect(cleanUri(uri)).toBe("");
  },
);
