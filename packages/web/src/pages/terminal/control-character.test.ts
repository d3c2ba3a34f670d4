import { expect, it } from "vitest";

import { controlCharacter } from "./control-character.ts";

it.each([
  ["C", "\u0003"],
  ["d", "\u0004"],
  ["Z", "\u001a"],
])("sends what a keyboard sends for Ctrl and %s", (letter, text) => {
  expect(controlCharacter(letter)).toBe(text);
});
