import { expect, it } from "vitest";

import { cleanMessage } from "./app-status-service.ts";

it.each([
  ["  two\n\tlines  ", "two lines"],
  ["\u001B[31mred\u001B[0m text", "red text"],
  ["<b>bold</b> and <script src=x>run", "bold and run"],
  ["1 < 2 and 3 > 2", "1 < 2 and 3 > 2"],
  ["bell\u0007 nul\0", "bell nul"],
])("makes %j plain", (text, clean) => {
  expect(cleanMessage(text)).toBe(clean);
});
