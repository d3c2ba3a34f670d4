import { RpcError } from "@slipway/rpc";
import { timestampFromMs } from "@slipway/wire/protobuf/time";
import { expect, it } from "vitest";

import { timeField, uuidField } from "./fields.ts";

it.each([
  [{ seconds: 1_700_000_000n, nanos: 123_456_789 }, "2023-11-14T22:13:20.123456Z"],
  [{ seconds: 0n, nanos: 0 }, "1970-01-01T00:00:00.000000Z"],
  [{ seconds: -1n, nanos: 999_999_000 }, "1969-12-31T23:59:59.999999Z"],
  [{ seconds: -62_135_596_800n, nanos: 1000 }, "0001-01-01T00:00:00.000001Z"],
])("writes a time to the microsecond", (fields, text) => {
  expect(timeField({ ...timestampFromMs(0), ...fields }, "time")).toBe(text);
});

it("takes an absent time and 0001-01-01 for none", () => {
  expect(timeField(undefined, "time")).toBeUndefined();
  const zero = { ...timestampFromMs(0), seconds: -62_135_596_800n };
  expect(timeField(zero, "time")).toBeUndefined();
});

it.each([
  { seconds: 253_402_300_800n, nanos: 0 },
  { seconds: -62_135_596_801n, nanos: 0 },
  { seconds: 0n, nanos: -1 },
  { seconds: 0n, nanos: 1_000_000_000 },
])("refuses a time that is none", (fields) => {
  expect(() => timeField({ ...timestampFromMs(0), ...fields }, "time")).toThrow(RpcError);
});

it("refuses a UUID that has not 16 bytes", () => {
  expect(() => uuidField(new Uint8Array(15), "id")).toThrow("id: invalid UUID (got 15 bytes)");
});
