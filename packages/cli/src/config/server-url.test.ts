import { expect, it } from "vitest";

import { readServerUrl } from "./server-url.ts";

it.each([
  ["slipway.example.com", "https://slipway.example.com"],
  ["localhost:3000", "http://localhost:3000"],
  ["127.0.0.1:3000/", "http://127.0.0.1:3000"],
  ["[::1]:3000", "http://[::1]:3000"],
  ["localhost.example.com", "https://localhost.example.com"],
  [" http://a.example.com/base/ ", "http://a.example.com/base"],
])("reads %s as %s", (typed, url) => {
  expect(readServerUrl(typed)).toBe(url);
});

it.each(["", "ftp://a", "http://", "a b"])("refuses %j", (typed) => {
  expect(() => readServerUrl(typed)).toThrow("is not a server address");
});
