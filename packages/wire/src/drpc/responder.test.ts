import { expect, it } from "vitest";

import { encodeHex, parseHex } from "../bytes/hex.ts";
import { joinBytes } from "../bytes/join.ts";
import { maxPacketBytes } from "./frame.ts";
import { DrpcResponder } from "./responder.ts";

const path = "/x";
const invoke = "030101022f78";
const noMetadata = new Map<string, string>();

function responder(hex = invoke): DrpcResponder {
  const side = new DrpcResponder();
  side.receive(parseHex(hex));
  return side;
}

it("hears a unary call in one chunk", () => {
  expect(new DrpcResponder().receive(parseHex(`${invoke}050102000d010300`))).toEqual([
    { type: "invoke", path, metadata: noMetadata },
    { type: "message", bytes: new Uint8Array(0) },
    { type: "close-send" },
  ]);
});

it("answers with its own message ids and the caller's stream id", () => {
  const side = responder("030501022f78");
  expect(encodeHex(side.message(parseHex("0a02081e")))).toBe("050501040a02081e");
  expect(encodeHex(side.message(new Uint8Array(0)))).toBe("05050200");
  expect(encodeHex(side.closeSend())).toBe("0d050300");
});

it("reads metadata before the invoke of the same stream", () => {
  const side = new DrpcResponder();
  expect(side.receive(parseHex("0f0101090a070a016b12027631030102022f78"))).toEqual([
    { type: "invoke", path, metadata: new Map([["k", "v1"]]) },
  ]);
});

it("forgets metadata of another stream", () => {
  const side = new DrpcResponder();
  expect(side.receive(parseHex("0f0101090a070a016b12027631030201022f78"))).toEqual([
    { type: "invoke", path, metadata: noMetadata },
  ]);
});

it("fails with a code, once, and says nothing more", () => {
  const side = responder();
  expect(encodeHex(side.error(0, "boom"))).toBe("0701010c0000000000000000626f6f6d");
  for (const late of [
    side.error(0, "again"),
    side.message(Uint8Array.of(1)),
    side.closeSend(),
    side.close(),
  ]) {
    expect(late).toHaveLength(0);
  }
});

it.each([
  ["cancel", "89010200"],
  ["close", "0b010200"],
  ["error", "0701020c0000000000000000626f6f6d"],
])("hears %s, after which answers go nowhere", (reason, hex) => {
  const side = responder();
  expect(side.receive(parseHex(hex))).toEqual([{ type: "cancel", reason }]);
  expect(side.message(Uint8Array.of(1))).toHaveLength(0);
});

it("ignores the late Close of a caller that was answered", () => {
  const side = responder(`${invoke}050102000d010300`);
  side.message(new Uint8Array(0));
  side.closeSend();
  expect(side.receive(parseHex("0b010400"))).toEqual([]);
});

it("hears the Close of a caller that goes on sending", () => {
  const side = responder();
  side.closeSend();
  expect(side.receive(parseHex("0b010400"))).toEqual([{ type: "cancel", reason: "close" }]);
});

it("serves the next call on the same stream", () => {
  const side = responder(`${invoke}0d010300`);
  side.message(new Uint8Array(0));
  side.closeSend();
  expect(side.receive(parseHex("030201022f78"))).toEqual([
    { type: "invoke", path, metadata: noMetadata },
  ]);
  expect(encodeHex(side.message(new Uint8Array(0)))).toBe("05020100");
});

it("cancels a running call for the next one", () => {
  expect(responder().receive(parseHex("030201022f78"))).toEqual([
    { type: "cancel", reason: "cancel" },
    { type: "invoke", path, metadata: noMetadata },
  ]);
});

it("ignores an invoke with the id of a call that is over", () => {
  const side = responder();
  side.close();
  expect(side.receive(parseHex("030102022f78"))).toEqual([]);
  expect(side.receive(parseHex("05010300"))).toEqual([]);
});

it.each([
  ["a second invoke of a running call", "030102022f78"],
  ["the same ids again", invoke],
  ["a message of a stream that was not invoked", "05020100"],
  ["an unknown kind", "11010200"],
])("refuses %s", (_, hex) => {
  expect(() => responder().receive(parseHex(hex))).toThrow(
    expect.objectContaining({ name: "DrpcError", code: "protocol-error" }),
  );
});

it("refuses a path that is not UTF-8", () => {
  expect(() => new DrpcResponder().receive(parseHex("03010101ff"))).toThrow(
    expect.objectContaining({ code: "malformed-frame" }),
  );
});

it("ignores what comes after the end of messages", () => {
  expect(responder(`${invoke}0d010200`).receive(parseHex("050103000d010400"))).toEqual([]);
});

it("ignores an unknown kind with the control flag", () => {
  expect(responder().receive(parseHex("91010200"))).toEqual([]);
});

it("takes a message of 4 MiB and refuses one byte more, in either direction", () => {
  const side = responder();
  const largest = joinBytes([parseHex("05010280808002"), new Uint8Array(maxPacketBytes)]);
  expect(side.receive(largest)).toMatchObject([{ type: "message" }]);
  expect(() => side.receive(parseHex("05010381808002"))).toThrow(
    expect.objectContaining({ code: "packet-too-large" }),
  );
  expect(() => side.message(new Uint8Array(maxPacketBytes + 1))).toThrow(
    expect.objectContaining({ code: "packet-too-large" }),
  );
});

it("can still fail properly after a message that was too large", () => {
  const side = responder();
  expect(() => side.message(new Uint8Array(maxPacketBytes + 1))).toThrow();
  expect(encodeHex(side.error(0, "boom"))).toBe("0701010c0000000000000000626f6f6d");
});

it("refuses to answer before there is a call, or after its own end of messages", () => {
  expect(() => new DrpcResponder().closeSend()).toThrow(
    expect.objectContaining({ code: "no-rpc" }),
  );
  const side = responder();
  side.closeSend();
  expect(side.closeSend()).toHaveLength(0);
  expect(() => side.message(new Uint8Array(0))).toThrow(
    expect.objectContaining({ code: "send-closed" }),
  );
});
