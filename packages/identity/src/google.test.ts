import { createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto";

import fc from "fast-check";
import { base64url, CompactSign } from "jose";
import { beforeAll, describe, expect, it } from "vitest";

import { IdentityError } from "./errors.ts";
import { type GoogleKeys, verifyGoogleIdentity } from "./google.ts";

const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
const ec = generateKeyPairSync("ec", { namedCurve: "P-256" });
const nowMs = Date.UTC(2026, 10, 25);
const exp = nowMs / 1000 + 60;
const parties = { aud: "coder", iss: "https://accounts.google.com" };
const google = { compute_engine: { instance_id: "4711", zone: "z" } };

/** Keys by algorithm; both sets contain one of the other algorithm. */
const keys: GoogleKeys = {
  RS256: setOf({
    r1: rsa.publicKey,
    e1: ec.publicKey,
    small: generateKeyPairSync("rsa", { modulusLength: 1_024 }).publicKey,
    long: createPublicKey({
      key: {
        ...rsa.publicKey.export({ format: "jwk" }),
        e: Buffer.alloc(250, 0xab).toString("base64url"),
      },
      format: "jwk",
    }),
  }),
  ES256: setOf({ e1: ec.publicKey, r1: rsa.publicKey }),
};

function setOf(known: Readonly<Record<string, KeyObject>>) {
  return {
    find: async (kid: string) => {
      const key = known[kid];
      if (key === undefined) throw new IdentityError("idtoken: no such key");
      return { ...key.export({ format: "jwk" }), kid };
    },
  };
}

function sign(
  payload: unknown,
  header: { readonly alg: string; readonly kid?: string } = { alg: "RS256", kid: "r1" },
  key: KeyObject | Uint8Array = header.alg === "ES256" ? ec.privateKey : rsa.privateKey,
): Promise<string> {
  const text = typeof payload === "string" ? payload : JSON.stringify(payload);
  return new CompactSign(Buffer.from(text)).setProtectedHeader(header).sign(key);
}

const verify = (token: string, audience = "coder") =>
  verifyGoogleIdentity(token, { keys, audience, nowMs });

describe("the identity of a Google machine", () => {
  it.each(["RS256", "ES256"])("is proved by a token signed with %s", async (alg) => {
    const kid = alg === "RS256" ? "r1" : "e1";
    expect(await verify(await sign({ exp, google, ...parties }, { alg, kid }))).toBe("4711");
  });

  it("is empty where the token names no machine", async () => {
    for (const claims of [
      {},
      { google: {} },
      { google: { compute_engine: {} } },
      { google: null },
    ]) {
      expect(await verify(await sign({ exp, ...parties, ...claims }))).toBe("");
    }
  });

  it.each([
    [{ google: 1 }],
    [{ google: { compute_engine: "x" } }],
    [{ google: { compute_engine: { instance_id: 4711 } } }],
    [{ google: [] }],
  ])("is malformed with the claims %j", async (claims) => {
    const token = await sign({ exp, ...parties, ...claims });
    await expect(verify(token)).rejects.toMatchObject({ name: "IdentityClaimError" });
  });

  it("is for one audience, by one of two names of the issuer", async () => {
    const iss = "accounts.google.com";
    expect(await verify(await sign({ exp, google, ...parties, iss }))).toBe("4711");
    const aud = "slipway";
    expect(await verify(await sign({ exp, google, ...parties, aud }), "slipway")).toBe("4711");
  });

  it("takes clocks that are a little apart", async () => {
    const now = nowMs / 1000;
    const times = { exp: now - 60, nbf: now + 60, iat: now + 60 };
    expect(await verify(await sign({ google, ...parties, ...times }))).toBe("4711");
  });

  const hmac = Buffer.from(rsa.publicKey.export({ format: "pem", type: "spki" }).toString());
  const none = `${base64url.encode('{"alg":"none"}')}.${base64url.encode(JSON.stringify({ exp, google, ...parties }))}.`;

  it.each<[string, () => string | Promise<string>, string]>([
    ["one segment", () => "x", "token must have three segments; found 1"],
    ["no claims", () => "a.b.c", "unable to read the claims"],
    ["claims that are no object", () => sign("[1]"), "unable to read the claims: found no object"],
    ["no time of expiry", () => sign({ google }), "found no time of expiry"],
    ["a time of expiry that is none", () => sign({ google, exp: "9" }), "found no time of expiry"],
    ["an old token", () => sign({ google, ...parties, exp: exp - 121 }), "token expired: now="],
    [
      "a token that begins to hold later",
      () => sign({ google, ...parties, exp, nbf: exp + 1 }),
      "token not valid yet: now=",
    ],
    [
      "a token made later",
      () => sign({ google, ...parties, exp: exp + 9, iat: exp + 1 }),
      "token not valid yet: now=",
    ],
    [
      "a time that is none",
      () => sign({ google, ...parties, exp, nbf: "1" }),
      "found no time in nbf",
    ],
    [
      "a token for somebody else",
      () => sign({ google, ...parties, exp, aud: "https://example.com" }),
      'found the audience "https://example.com", wanted "coder"',
    ],
    [
      "a token for several",
      () => sign({ google, ...parties, exp, aud: ["coder", "x"] }),
      'found the audience ["coder","x"], wanted "coder"',
    ],
    [
      "a token for nobody",
      () => sign({ google, iss: parties.iss, exp }),
      'found the audience none, wanted "coder"',
    ],
    [
      "a token of another issuer",
      () => sign({ google, ...parties, exp, iss: "https://accounts.google.com.evil" }),
      'found the issuer "https://accounts.google.com.evil"',
    ],
    ["a token of no issuer", () => sign({ google, aud: "coder", exp }), "found the issuer none"],
    [
      "a long token",
      () => sign({ google, ...parties, exp, more: "x".repeat(16_384) }),
      "wanted at most 16384",
    ],
    [
      "a key that is too small",
      () => sign({ exp, google, ...parties }, { alg: "RS256", kid: "small" }),
      "a key that is not used",
    ],
    [
      "a key with a long exponent",
      () => sign({ exp, google, ...parties }, { alg: "RS256", kid: "long" }),
      "a key that is not used",
    ],
    [
      "an unknown key",
      () => sign({ exp, google, ...parties }, { alg: "RS256", kid: "r2" }),
      "no such key",
    ],
    [
      "a key without an id",
      () => sign({ exp, google, ...parties }, { alg: "RS256" }),
      "found no id of a key",
    ],
    [
      "somebody's own key",
      () =>
        sign(
          { exp, google, ...parties },
          { alg: "RS256", kid: "r1" },
          generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey,
        ),
      "signature verification failed",
    ],
    [
      "a public key as a secret",
      () => sign({ exp, google, ...parties }, { alg: "HS256", kid: "r1" }, hmac),
      'but found "HS256"',
    ],
    [
      "another algorithm",
      () => sign({ exp, google, ...parties }, { alg: "PS256", kid: "r1" }),
      '"PS256"',
    ],
    ["no algorithm", () => none, 'but found "none"'],
    [
      "a key of another kind",
      () => sign({ exp, google, ...parties }, { alg: "RS256", kid: "e1" }),
      "idtoken: ",
    ],
  ])("is not proved by %s", async (_, token, message) => {
    await expect(verify(await token())).rejects.toThrow(
      expect.objectContaining({ name: "IdentityError", message: expect.stringContaining(message) }),
    );
  });

  describe("when something is done to its token", () => {
    let token: string;

    beforeAll(async () => {
      token = await sign({ exp, google, ...parties });
    });

    it("is refused in one way only, wherever it ends", async () => {
      for (let length = 0; length < token.length; length += 1) {
        await expect(verify(token.slice(0, length))).rejects.toBeInstanceOf(IdentityError);
      }
    });

    it("is refused in one way only, whatever its segments are", async () => {
      const json = fc.oneof(
        fc.string(),
        fc.json(),
        fc.record({
          alg: fc.constantFrom("RS256", "ES256", 1),
          kid: fc.constantFrom("r1", "e1", {}),
        }),
        fc.record({ exp: fc.constantFrom(exp, null, "x") }),
      );
      const segment = fc.oneof(
        fc.string(),
        fc.constantFrom(...token.split(".")),
        json.map((value) =>
          base64url.encode(typeof value === "string" ? value : JSON.stringify(value)),
        ),
      );
      await fc.assert(
        fc.asyncProperty(fc.array(segment, { maxLength: 4 }), async (segments) => {
          fc.pre(segments.join(".") !== token);
          await expect(verify(segments.join("."))).rejects.toBeInstanceOf(IdentityError);
        }),
      );
    });
  });
});
