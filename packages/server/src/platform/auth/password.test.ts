import { scryptSync } from "node:crypto";

import { describe, expect, it } from "vitest";

import { hashPassword, isFormerHash, passwordProblem, verifyPassword } from "./password.ts";

describe("hashPassword", () => {
  it("makes a new hash each time, which fits its password only", async () => {
    const [one, two] = await Promise.all([hashPassword("päss"), hashPassword("päss")]);
    expect(one).not.toBe(two);
    expect(one).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$[\w-]{22}\$[\w-]{43}$/);
    expect(await verifyPassword("päss", one)).toBe(true);
    expect(await verifyPassword("pass", one)).toBe(false);
    expect(await verifyPassword("", one)).toBe(false);
  });

  it("takes the two ways to write an umlaut for the same", async () => {
    const hash = await hashPassword("p\u00e4ss");
    expect(await verifyPassword("pa\u0308ss", hash)).toBe(true);
  });
});

describe("verifyPassword", () => {
  it("fits a hash of another cost, which it carries", async () => {
    // RFC 7914 section 12, N=1024, r=8, p=16, the first 32 bytes.
    const key = Buffer.from(
      "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162",
      "hex",
    );
    const salt = Buffer.from("NaCl").toString("base64url");
    const hash = `scrypt$1024$8$16$${salt}$${key.toString("base64url")}`;
    expect(await verifyPassword("password", hash)).toBe(true);
    expect(await verifyPassword("Password", hash)).toBe(false);
  });

  it("tells hashes of earlier releases, which it still fits", async () => {
    const salt = Buffer.alloc(16);
    const key = scryptSync("x", salt, 32, { N: 16_384, r: 8, p: 1 }).toString("base64url");
    const hash = `scrypt$16384$8$1$${salt.toString("base64url")}$${key}`;
    expect(await verifyPassword("x", hash)).toBe(true);
    expect([hash, await hashPassword("x"), ""].map(isFormerHash)).toEqual([true, false, false]);
  });

  it.each(["", "$argon2id$v=19$m=19456,t=2,p=1$x", "bcrypt$x", "scrypt$16384$8$1", "plain"])(
    "fits nothing to %j",
    async (hash) => {
      expect(await verifyPassword("", hash)).toBe(false);
      expect(await verifyPassword(hash, hash)).toBe(false);
    },
  );
});

describe("hashing", () => {
  it("is refused when too many passwords wait", async () => {
    // A cheap hash to verify.
    const check = (): Promise<boolean> => verifyPassword("x", "scrypt$2$1$1$AA$AA");
    const results = await Promise.allSettled(Array.from({ length: 200 }, check));
    const refused = results.flatMap((one) => (one.status === "rejected" ? [one.reason] : []));
    expect(refused).toHaveLength(200 - 128 - 2);
    expect(refused[0]).toMatchObject({ code: "unavailable", retryAfterSeconds: 10 });
    expect(await check()).toBe(false);
  });
});

describe("passwordProblem", () => {
  it.each(["correct-horse-battery-42", "SomeSecurePassword!", "xkcdqwplmnbt"])(
    "takes %s",
    (good) => {
      expect(passwordProblem(good)).toBeUndefined();
    },
  );

  it("counts a repeated character half", () => {
    expect(passwordProblem("abcdefghijkl")).toBeUndefined();
    expect(passwordProblem("aaaaaaaaaaaa")).toBe(
      "is too easy to guess: 30 bits of entropy, at least 52 are required; make it longer or more varied",
    );
  });

  it("says how strong an empty one is", () => {
    expect(passwordProblem("")).toMatch(/^is too easy to guess: 0 bits/);
  });

  it("limits the length", () => {
    expect(passwordProblem("aB3!".repeat(16))).toBeUndefined();
    expect(passwordProblem(`${"aB3!".repeat(16)}x`)).toBe("must have at most 64 characters");
  });
});
