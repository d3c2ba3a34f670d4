import type { IncomingMessage } from "node:http";

import { describe, expect, it } from "vitest";

import { type ClientView, clientViews } from "./request-origin.ts";

function view(
  remoteAddress: string,
  headers: Readonly<Record<string, string>>,
  trusted: readonly string[] = ["10.0.0.0/8"],
): ClientView {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- no other part of a request is read
  const request = { headers, socket: { remoteAddress } } as unknown as IncomingMessage;
  return clientViews(trusted)(request);
}

const reported = {
  host: "inner.test",
  "x-forwarded-for": "6.6.6.6, 203.0.113.7, 10.0.0.2",
  "x-forwarded-host": "evil.test, outer.test",
  "x-forwarded-proto": "http, https",
};

describe("clientViews", () => {
  it("believes trusted proxies, as far as they vouch for each other", () => {
    expect(view("::ffff:10.0.0.1", reported)).toEqual({
      address: "203.0.113.7",
      protocol: "https",
      host: "outer.test",
      forwardedFor: "203.0.113.7, 10.0.0.2, 10.0.0.1",
    });
  });

  it("believes nobody else", () => {
    const own = {
      address: "9.9.9.9",
      protocol: "http",
      host: "inner.test",
      forwardedFor: "9.9.9.9",
    };
    expect(view("9.9.9.9", reported)).toEqual(own);
    expect(view("9.9.9.9", reported, [])).toEqual(own);
  });

  it("takes no text for an address", () => {
    const forged = { host: "x", "x-forwarded-for": "a\tb" };
    expect(view("10.0.0.1", forged)).toMatchObject({
      address: "10.0.0.1",
      forwardedFor: "10.0.0.1",
    });
  });
});
