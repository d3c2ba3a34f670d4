import { describe, expect, it } from "vitest";

import { SecretBox } from "../../platform/auth/secret-box.ts";
import {
  appTokenSeconds,
  hashOf,
  LoginCodes,
  loginCodeSeconds,
  SignedTokens,
} from "./app-tokens.ts";

const [oldSecret, newSecret] = ["o".repeat(32), "n".repeat(32)];
const startMs = Date.UTC(2030, 0, 1);

function clockAt(nowMs = startMs): { nowMs: number; now(): number } {
  return {
    nowMs,
    now() {
      return this.nowMs;
    },
  };
}

describe("a signed token", () => {
  const box = new SecretBox([newSecret]);
  const clock = clockAt();
  const tokens = new SignedTokens(box, "app token", clock);

  it("is good for its audience, until it expires", async () => {
    const token = await tokens.sign({ sub: "ann" }, "web", appTokenSeconds);
    expect(await tokens.verify(token, "web")).toMatchObject({ sub: "ann" });
    expect(await tokens.verify(token, "other")).toBeUndefined();
    const later = new SignedTokens(box, "app token", clockAt(startMs + appTokenSeconds * 1000));
    expect(await later.verify(token, "web")).toBeUndefined();
    const justBefore = startMs + appTokenSeconds * 1000 - 1_000;
    const before = new SignedTokens(box, "app token", clockAt(justBefore));
    expect(await before.verify(token, "web")).toBeDefined();
  });

  it("names its key, and outlives a rotation of the secret until the old one is gone", async () => {
    const old = new SignedTokens(new SecretBox([oldSecret]), "app token", clock);
    const token = await old.sign({}, "web", appTokenSeconds);
    const [header = ""] = token.split(".");
    expect(JSON.parse(Buffer.from(header, "base64url").toString())).toEqual({
      alg: "HS512",
      kid: expect.stringMatching(/^[0-9a-f]{8}$/),
      typ: "app token",
    });
    const both = new SignedTokens(new SecretBox([newSecret, oldSecret]), "app token", clock);
    expect(await both.verify(token, "web")).toBeDefined();
    expect(await tokens.verify(token, "web")).toBeUndefined();
  });

  it("is of no other kind", async () => {
    const other = new SignedTokens(box, "app session", clock);
    const token = await other.sign({ sub: "ann" }, "web", appTokenSeconds);
    expect(await tokens.verify(token, "web")).toBeUndefined();
  });

  it("cannot be forged", async () => {
    const token = await tokens.sign({ sub: "ann" }, "web", appTokenSeconds);
    const [header = "", claims = "", signature = ""] = token.split(".");
    const encode = (value: object): string =>
      Buffer.from(JSON.stringify(value)).toString("base64url");
    const decoded: object = JSON.parse(Buffer.from(claims, "base64url").toString());
    const forged = [
      "",
      "x",
      "..",
      `${header}.${encode({ ...decoded, sub: "bob" })}.${signature}`,
      `${encode({ alg: "none", typ: "app token" })}.${claims}.`,
      `${encode({ alg: "HS256", typ: "app token", kid: "00000000" })}.${claims}.${signature}`,
      `${header}.${claims}.${signature.replace(/^./, (first) => (first === "A" ? "B" : "A"))}`,
      `${header}.${claims}`,
      token.repeat(40),
    ];
    for (const one of forged) expect(await tokens.verify(one, "web")).toBeUndefined();
  });
});

describe("a login code", () => {
  const session = { userId: "ann", keyId: "key" };
  const box = new SecretBox([newSecret]);
  const codes = new LoginCodes(box, clockAt());

  it("is good for the origin and the browser that it was issued to", async () => {
    const code = await codes.issue(session, "https://a.test", hashOf("state"));
    expect(await codes.read(code, "https://a.test", "state")).toEqual(session);
    expect(await codes.read(code, "https://b.test", "state")).toBeUndefined();
    expect(await codes.read(code, "https://a.test", "other")).toBeUndefined();
    expect(await codes.read(code, "https://a.test", "")).toBeUndefined();
  });

  it("says nothing to who carries it", async () => {
    const code = await codes.issue(session, "https://a.test", hashOf("state"));
    const parts = code.split(".").map((part) => Buffer.from(part, "base64url").toString());
    expect(parts.join()).not.toContain("ann");
  });

  it("expires", async () => {
    const code = await codes.issue(session, "https://a.test", hashOf("state"));
    const later = new LoginCodes(box, clockAt(startMs + loginCodeSeconds * 1000));
    expect(await later.read(code, "https://a.test", "state")).toBeUndefined();
  });

  it("cannot be forged", async () => {
    const code = await codes.issue(session, "https://a.test", hashOf("state"));
    const signed = await new SignedTokens(box, "app token", clockAt()).sign(
      { sub: "ann", sid: "key", state: hashOf("state") },
      "https://a.test",
      60,
    );
    const changed = code.replace(/.(?=\.[^.]*$)/, (last) => (last === "A" ? "B" : "A"));
    for (const one of ["", "....", signed, changed, "x".repeat(10_000)]) {
      expect(await codes.read(one, "https://a.test", "state")).toBeUndefined();
    }
  });
});
