import { expect, it } from "vitest";

import { webAddress } from "./web-address.ts";

const origin = "https://slipway.example";

it("accepts addresses of the web and paths of the server", () => {
  expect(webAddress("https://git.example/a?b#c", origin)).toBe("https://git.example/a?b#c");
  expect(webAddress("/@ann/dev", origin)).toBe("https://slipway.example/@ann/dev");
});

it.each([
  "javascript:alert(1)",
  "JAVASCRIPT:alert(1)",
  "data:text/html,x",
  "vscode://x",
  "http://",
])("refuses %s", (text) => {
  expect(webAddress(text, origin)).toBe(undefined);
});
