import type { IncomingMessage } from "node:http";

import { describe, expect, it } from "vitest";

import { parseAppHost } from "./app-address.ts";
import { isForeign, sharedWith, siblingOrigin } from "./app-origins.ts";

const address = parseAppHost("web--dev--ann");
if (address === undefined) throw new Error("no address");
const rules = {
  wildcard: { suffix: ".apps.test", port: undefined },
  ownOrigin: "https://web--dev--ann.apps.test",
  address,
};

function asked(origin: string | undefined, method = "POST"): IncomingMessage {
  const headers = origin === undefined ? {} : { origin };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- no other part of a request is read
  return { headers, method } as IncomingMessage;
}

describe("other apps of the same user", () => {
  it.each(["https://api--dev--ann.apps.test", "https://8080--main--other--ann.apps.test"])(
    "%s is one",
    (origin) => {
      expect(siblingOrigin(asked(origin), rules)).toBe(origin);
      expect(isForeign(asked(origin), rules)).toBe(false);
    },
  );

  it.each([
    "https://web--dev--bob.apps.test",
    "http://api--dev--ann.apps.test",
    "https://api--dev--ann.apps.test:8443",
    "https://api--dev--ann.apps.test.evil.test",
    "https://ann.apps.test",
    "https://evil.test",
    "https://api--dev--ann.apps.test/",
    "null",
    "",
  ])("%j is none", (origin) => {
    expect(siblingOrigin(asked(origin), rules)).toBeUndefined();
    expect(isForeign(asked(origin), rules)).toBe(true);
  });
});

it("lets the app's own page and programs change things, and other pages only read", () => {
  expect(isForeign(asked("https://web--dev--ann.apps.test"), rules)).toBe(false);
  expect(isForeign(asked(undefined), rules)).toBe(false);
  expect(isForeign(asked("https://evil.test", "GET"), rules)).toBe(false);
});

it("shares nothing at the server's own origin", () => {
  const path = { ...rules, address: { ...address, access: "path" as const } };
  expect(siblingOrigin(asked("https://api--dev--ann.apps.test"), path)).toBeUndefined();
  expect(sharedWith(undefined, asked(undefined))).toEqual(["Vary", "Origin"]);
});
