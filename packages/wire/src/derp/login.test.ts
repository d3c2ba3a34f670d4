import fc from "fast-check";
import { expect, it } from "vitest";

import { encodeUtf8, parseUtf8 } from "../bytes/utf8.ts";
import { DerpError } from "./errors.ts";
import { encodeClientInfo, encodeServerInfo, parseClientInfo, parseServerInfo } from "./login.ts";

it("writes what stock peers write", () => {
  expect(parseUtf8(encodeClientInfo({ meshKey: "", canAckPings: true }))).toBe(
    '{"version":2,"CanAckPings":true}',
  );
  const unlimited = { bytesPerSecond: undefined, burstBytes: undefined };
  expect(parseUtf8(encodeServerInfo(unlimited))).toBe('{"version":2}');
});

it("reads back what it wrote", () => {
  const text = fc.string({ unit: "grapheme" });
  fc.assert(
    fc.property(fc.record({ meshKey: text, canAckPings: fc.boolean() }), (info) => {
      expect(parseClientInfo(encodeClientInfo(info))).toEqual(info);
    }),
  );
  const limit = fc.option(fc.integer({ min: 1 }), { nil: undefined });
  fc.assert(
    fc.property(fc.record({ bytesPerSecond: limit, burstBytes: limit }), (info) => {
      expect(parseServerInfo(encodeServerInfo(info))).toEqual(info);
    }),
  );
});

it("reads a login that leaves everything out", () => {
  expect(parseClientInfo(encodeUtf8("{}"))).toEqual({ meshKey: "", canAckPings: false });
});

it.each(["", "null", "7", "{", '{"meshKey":1}', '{"CanAckPings":"true"}'])(
  "refuses the login %j",
  (text) => {
    expect(() => parseClientInfo(encodeUtf8(text))).toThrow(
      expect.objectContaining({ name: "DerpError", code: "malformed-login" }),
    );
  },
);

it("refuses limits that are no positive whole numbers", () => {
  for (const value of ["-1", "1.5", '"1"', "true"]) {
    const json = encodeUtf8(`{"TokenBucketBytesPerSecond":${value}}`);
    expect(() => parseServerInfo(json)).toThrow(DerpError);
  }
});

it("raises only its own error for random bytes", () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      try {
        parseClientInfo(bytes);
        parseServerInfo(bytes);
        return true;
      } catch (error) {
        return error instanceof DerpError;
      }
    }),
  );
});
