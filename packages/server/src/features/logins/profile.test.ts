import { nameProblem } from "@slipway/api/contract/name";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { readProfile, usernameCandidate } from "./profile.ts";

const claims = {
  username: "preferred_username",
  email: "email",
  name: "name",
  groups: "realm_access.roles",
};
const settings = { claims, trustsEmail: false };

describe("readProfile", () => {
  it("reads the claims that the settings name, nested ones too", () => {
    const profile = readProfile(settings, {
      sub: "248289761001",
      preferred_username: "ada.lovelace@example.com",
      email: "Ada@example.com",
      email_verified: true,
      name: "Ada \u202eLovelace",
      realm_access: { roles: ["admins", "admins", 7, "dev"] },
    });
    expect(profile).toMatchObject({
      subject: "248289761001",
      email: "Ada@example.com",
      isEmailVerified: true,
      username: "ada-lovelace",
      groups: ["admins", "dev"],
    });
    expect(profile.name).not.toContain("\u202e");
  });

  it.each([
    ["absent", {}, false],
    ["false", { email_verified: false }, false],
    ["the text false", { email_verified: "false" }, false],
    ["the text true", { email_verified: "true" }, true],
    ["a list with true", { email_verified: [true] }, false],
  ])("takes an email address as verified if the claim is %s: %#", (_name, claim, isVerified) => {
    const read = readProfile(settings, { sub: "1", email: "a@example.com", ...claim });
    expect(read.isEmailVerified).toBe(isVerified);
  });

  it("believes a trusted provider, but no address that is none", () => {
    const trusted = { ...settings, trustsEmail: true };
    expect(readProfile(trusted, { sub: "1", email: "a@b" }).isEmailVerified).toBe(true);
    expect(readProfile(trusted, { sub: "1", email: "a b@c" })).toMatchObject({
      email: undefined,
      isEmailVerified: false,
    });
  });

  it.each([{}, { sub: "" }, { sub: 7 }, { sub: "x".repeat(256) }, { sub: "a\u0000b" }])(
    "refuses the subject of %o",
    (found) => {
      expect(() => readProfile(settings, found)).toThrow(
        expect.objectContaining({ code: "failed" }),
      );
    },
  );

  it("refuses claims without an end", () => {
    const groups = Array.from({ length: 40_000 }, (_one, index) => `g${index}`);
    expect(() => readProfile(settings, { sub: "1", groups })).toThrow("claims of more than");
  });

  it("makes a valid username of any claims", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "binary" }),
        fc.integer({ min: 1, max: 9999 }),
        (text, attempt) => {
          const { username } = readProfile(settings, { sub: "1", preferred_username: text });
          expect(nameProblem(usernameCandidate(username, attempt))).toBeUndefined();
        },
      ),
    );
  });
});
