import { expect, it } from "vitest";

import { bytesText } from "./bytes-text.ts";

it.each([
  [0, "0 B"],
  [1023, "1023 B"],
  [1536, "1.5 KiB"],
  [10 * 1024 ** 2, "10 MiB"],
  [3 * 1024 ** 5, "3072 TiB"],
])("writes %d bytes as %s", (bytes, text) => {
  expect(bytesText(bytes)).toBe(text);
});
