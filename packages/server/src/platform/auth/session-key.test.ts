import { describe, expect, it } from "vitest";

import { createSessionKey, isSecretOf, parseSessionToken } from "./session-key.ts";

describe("a session key", () => {
  it("has an id of 10 and a secret of 22 characters, of which only a hash is kept", () => {
    const key = createSessionKey();
    expect(key.token).toMatch(/^[a-zA-Z0-9]{10}-[a-zA-Z0-9]{22}$/);
    const parsed = parseSessionToken(key.token);
    expect(parsed).toEqual({ id: key.id, secret: key.token.slice(11) });
    expect(key.hashedSecret).toHaveLength(32);
    expect(isSecretOf(key.token.slice(11), key.hashedSecret)).toBe(true);
    expect(isSecretOf(createSessionKey().token.slice(11), key.hashedSecret)).toBe(false);
    expect(isSecretOf(key.token.slice(11), key.hashedSecret.subarray(1))).toBe(false);
  });

  it.each([
    ["", "incorrect amount of API key parts, expected 2 got 1"],
    ["0f8fad5b-d9cb-469f-a165-70867728950e", "incorrect amount of API key parts, expected 2 got 5"],
    ["short-secret", "invalid API key ID length, expected 10 got 5"],
    ["abcdefghij-secret", "invalid API key secret length, expected 22 got 6"],
    ["abcdefghij-", "invalid API key secret length, expected 22 got 0"],
  ])("says what is wrong with %j", (token, problem) => {
    expect(parseSessionToken(token)).toEqual({ problem: `Invalid API key format: ${problem}` });
  });
});
