import { expect, it } from "vitest";

import { workspaceWords } from "./parse.ts";

it.each([
  [["Username for 'https://git.test': "], ["gitaskpass", "Username for 'https://git.test': "]],
  [["Password for 'https://a@git.test': "], ["gitaskpass", "Password for 'https://a@git.test': "]],
  [
    ["exp", "sync", "start", "a"],
    ["sync", "start", "a"],
  ],
  [["exp"], ["exp"]],
  [
    ["ssh", "exp", "sync"],
    ["ssh", "exp", "sync"],
  ],
  [["stat"], ["stat"]],
  [[], []],
])("translates %j", (words, expected) => {
  expect(workspaceWords(words)).toEqual(expected);
});
