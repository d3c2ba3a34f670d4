import { describe, expect, it } from "vitest";

import { allowListOf, lifetimeChoices, lifetimeNs, tokenState, wasUsed } from "./token-text.ts";

const dayNs = 86_400e9;
const token = {
  created_at: "2026-01-01T00:00:00Z",
  last_used: "2025-12-31T23:59:59Z",
  expires_at: "2026-01-10T00:00:00Z",
};

describe("the lifetimes to choose from", () => {
  it("end with the maximum", () => {
    expect(lifetimeChoices(100 * dayNs)).toEqual([1, 7, 30, 90, 100]);
    expect(lifetimeChoices(30 * dayNs)).toEqual([1, 7, 30]);
  });

  it("are none below a day", () => {
    expect(lifetimeChoices(dayNs / 2)).toEqual([]);
  });

  it("are sent in nanoseconds", () => {
    expect(lifetimeNs(7)).toBe(604_800_000_000_000);
  });
});

describe("a token", () => {
  it("expires soon in its last three days, and then is expired", () => {
    expect(tokenState(token, new Date("2026-01-02T00:00:00Z"))).toBe("active");
    expect(tokenState(token, new Date("2026-01-08T00:00:00Z"))).toBe("expires-soon");
    expect(tokenState(token, new Date("2026-01-10T00:00:00Z"))).toBe("expired");
  });

  it("is unused until a use after its creation", () => {
    expect(wasUsed(token)).toBe(false);
    expect(wasUsed({ ...token, last_used: "2026-01-01T00:00:01Z" })).toBe(true);
  });
});

it("reads an allow list from lines and commas", () => {
  expect(allowListOf(" workspace:a, template:*\n\nuser:b ")).toEqual([
    "workspace:a",
    "template:*",
    "user:b",
  ]);
});
