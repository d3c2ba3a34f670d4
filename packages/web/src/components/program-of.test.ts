import { expect, it } from "vitest";

import { programOf } from "./program-of.ts";

it.each([
  [
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36",
    "Chrome on Linux",
  ],
  ["Mozilla/5.0 (Windows NT 10.0) Gecko/20100101 Firefox/140.0", "Firefox on Windows"],
  [
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605 Version/18.0 Safari/604.1",
    "Safari on iOS",
  ],
  ["slipway/0.1.0", "The slipway command"],
  ["slipway/0.1.0 (Darwin)", "The slipway command on macOS"],
  ["curl/8.0", "curl/8.0"],
  ["", "Unknown program"],
])("names the program of %j", (userAgent, program) => {
  expect(programOf(userAgent)).toBe(program);
});
