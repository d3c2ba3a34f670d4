import { expect, it } from "vitest";

import { encodeHex, parseHex } from "../bytes/hex.ts";
import { DrpcCaller } from "./caller.ts";

function caller(): DrpcCaller {
  const side = new DrpcCaller();
  side.invoke("/x");
  return side;
}

it("calls with one message", () => {
  const side = new DrpcCaller();
  expect(encodeHex(side.invoke("/x"))).toBe("030101022f78");
  expect(encodeHex(side.message(new Uint8Array(0)))).toBe("05010200");
  expect(encodeHex(side.closeSend())).toBe("0d010300");
  expect(encodeHex(side.close())).toBe("0b010400");
});

it("sends metadata first", () => {
  const side = new DrpcCaller();
  expect(encodeHex(side.invoke("/x", new Map([["k", "v1"]])))).toBe(
    "0f0101090a070a016b12027631030102022f78",
  );
  expect(encodeHex(side.message(new Uint8Array(0)))).toBe("05010300");
});

it("hears the reply and its end", () => {
  expect(caller().receive(parseHex("050101040a02081e0d010200"))).toEqual([
    { type: "message", bytes: parseHex("0a02081e") },
    { type: "end" },
  ]);
});

it("hears an error", () => {
  const hex = "07010115000000000000000c556e696d706c656d656e746564";
  expect(caller().receive(parseHex(hex))).toEqual([
    { type: "error", code: 12, message: "Unimplemented" },
  ]);
});

it.each([
  ["Close", "0b010100"],
  ["Cancel", "89010100"],
])("takes %s for the end, once, after which it sends nothing", (_, hex) => {
  const side = caller();
  expect(side.receive(parseHex(hex))).toEqual([{ type: "end" }]);
  expect(side.receive(parseHex("050102000b010300"))).toEqual([]);
  expect(side.message(Uint8Array.of(1))).toHaveLength(0);
  expect(side.closeSend()).toHaveLength(0);
  expect(side.close()).toHaveLength(0);
});

it("needs no Close when both sides have ended", () => {
  const side = caller();
  side.closeSend();
  side.receive(parseHex("050101000d010200"));
  expect(side.close()).toHaveLength(0);
});

it("numbers the next call on the same stream anew", () => {
  const side = caller();
  side.close();
  expect(encodeHex(side.invoke("/x"))).toBe("030201022f78");
  // Late frames of the first call.
  expect(side.receive(parseHex("05010100"))).toEqual([]);
  expect(side.receive(parseHex("05020100"))).toMatchObject([{ type: "message" }]);
});

it("refuses to call while a call runs, and to use a call before it began", () => {
  expect(() => caller().invoke("/y")).toThrow(expect.objectContaining({ code: "rpc-active" }));
  expect(() => new DrpcCaller().closeSend()).toThrow(expect.objectContaining({ code: "no-rpc" }));
});

it("refuses a message after its end of messages", () => {
  const side = caller();
  side.closeSend();
  expect(() => side.message(new Uint8Array(0))).toThrow(
    expect.objectContaining({ code: "send-closed" }),
  );
});

it.each([
  ["an invoke", "030101022f78"],
  ["metadata", "0f010100"],
  ["an answer to a call that was not made", "05020100"],
  ["ids that do not grow", "0501010005010100"],
])("refuses %s", (_, hex) => {
  expect(() => caller().receive(parseHex(hex))).toThrow(
    expect.objectContaining({ name: "DrpcError", code: "protocol-error" }),
  );
});

it("refuses an error without a code", () => {
  expect(() => caller().receive(parseHex("0701010100"))).toThrow(
    expect.objectContaining({ code: "malformed-frame" }),
  );
});
