import { createFakeClock } from "@slipway/testkit";
import { expect, it } from "vitest";

import { SecretBox } from "../../platform/auth/secret-box.ts";
import { refreshAfterMs, ResumeTokens } from "./resume-token.ts";

const secrets = new SecretBox(["a key"]);
const peer = { peerId: "p", userId: "u", audience: "agent:a" };

it("issues tokens that last twice as long as clients take to ask for another", async () => {
  const clock = createFakeClock();
  const tokens = new ResumeTokens(secrets, clock);
  const { token, expiresAtMs } = tokens.issue(peer);
  expect(expiresAtMs - clock.now()).toBe(2 * refreshAfterMs);
  await clock.advance(2 * refreshAfterMs - 1);
  expect(tokens.read(token, peer)).toBe("p");
  await clock.advance(1);
  expect(tokens.read(token, peer)).toBeUndefined();
  await clock.advance(refreshAfterMs);
  expect(tokens.read(token, peer)).toBeUndefined();
});

it("takes a token again and again until it expires, and one issued later longer", async () => {
  const clock = createFakeClock();
  const tokens = new ResumeTokens(secrets, clock);
  const first = tokens.issue(peer);
  await clock.advance(refreshAfterMs);
  const second = tokens.issue(peer);
  expect([tokens.read(first.token, peer), tokens.read(first.token, peer)]).toEqual(["p", "p"]);
  await clock.advance(refreshAfterMs);
  expect(tokens.read(first.token, peer)).toBeUndefined();
  expect(tokens.read(second.token, peer)).toBe("p");
});

it.each([
  ["of another user", { userId: "v", audience: "agent:a" }],
  ["for another agent", { userId: "u", audience: "agent:b" }],
  ["for the tailnet", { userId: "u", audience: "tailnet" }],
])("takes no token %s", (_, who) => {
  const tokens = new ResumeTokens(secrets, createFakeClock());
  expect(tokens.read(tokens.issue(peer).token, who)).toBeUndefined();
});

it("takes nothing that it did not issue", () => {
  const clock = createFakeClock();
  const tokens = new ResumeTokens(secrets, clock);
  const { token } = tokens.issue(peer);
  const seal = (text: string, box = secrets): string => box.seal(text).toString("base64url");
  const text = ["tailnet-resume", "p", "u", "agent:a", clock.now() + 1000].join("\n");
  expect(tokens.read(seal(text), peer)).toBe("p");
  const others = [
    "",
    token.slice(0, -4),
    token.padEnd(1025, "A"),
    seal(text, new SecretBox(["another key"])),
    seal(text.replace("tailnet-resume", "another purpose")),
    seal(text.replace(/\d+$/, "soon")),
  ];
  expect(others.map((one) => tokens.read(one, peer))).toEqual(others.map(() => undefined));
});
