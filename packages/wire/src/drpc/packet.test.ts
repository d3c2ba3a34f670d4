import { expect, it } from "vitest";

import { encodeHex } from "../bytes/hex.ts";
import { joinBytes } from "../bytes/join.ts";
import { maxPacketBytes, parseFrame, PacketKind } from "./frame.ts";
import type { DrpcFrame } from "./frame.ts";
import { PacketReader } from "./packet-reader.ts";
import { encodePacket, PacketAssembly } from "./packet.ts";

function frame(fields: Partial<DrpcFrame>): DrpcFrame {
  return {
    kind: PacketKind.message,
    isDone: true,
    isControl: false,
    streamId: 1,
    messageId: 1,
    data: new Uint8Array(0),
    ...fields,
  };
}

function message(data: Uint8Array): Uint8Array {
  return encodePacket({ kind: PacketKind.message, streamId: 1, messageId: 2, data });
}

it("splits 70 000 bytes into frames of 65 536 and 4 464 bytes with one message id", () => {
  const bytes = message(new Uint8Array(70_000));
  expect(encodeHex(bytes.subarray(0, 6))).toBe("040102808004");
  expect(encodeHex(bytes.subarray(6 + 65_536, 6 + 65_536 + 5))).toBe("050102f022");
  expect(bytes).toHaveLength(6 + 65_536 + 5 + 4_464);
});

it.each([0, 1, 65_535, 65_536, 65_537, 131_072, maxPacketBytes])(
  "reads back a message of %i bytes",
  (length) => {
    const data = Uint8Array.from({ length }, (_, at) => at * 7);
    const packets = [...new PacketReader().read(message(data))];
    expect(packets).toHaveLength(1);
    expect(Buffer.compare(joinBytes(packets.map((packet) => packet.data)), data)).toBe(0);
  },
);

it("ends exactly one frame of a packet", () => {
  const bytes = message(new Uint8Array(131_072));
  const first = parseFrame(bytes);
  expect(first).toMatchObject({ frame: { isDone: false } });
  const next = first.type === "frame" ? first.next : 0;
  expect(parseFrame(bytes, next)).toMatchObject({ frame: { isDone: true }, next: bytes.length });
});

it("refuses to write one byte more than the limit", () => {
  expect(() => message(new Uint8Array(maxPacketBytes + 1))).toThrow(
    expect.objectContaining({ code: "packet-too-large" }),
  );
});

it("refuses to join one byte more than the limit", () => {
  const assembly = new PacketAssembly();
  const half = new Uint8Array(maxPacketBytes / 2);
  assembly.receive(frame({ isDone: false, data: half }));
  assembly.receive(frame({ isDone: false, data: half }));
  expect(() => assembly.receive(frame({ data: Uint8Array.of(1) }))).toThrow(
    expect.objectContaining({ code: "packet-too-large" }),
  );
});

it("sends Cancel with the control flag", () => {
  const data = new Uint8Array(0);
  const bytes = encodePacket({ kind: PacketKind.cancel, streamId: 1, messageId: 4, data });
  expect(encodeHex(bytes)).toBe("89010400");
});

it.each([
  [0, 1],
  [1, 0],
])("refuses the ids (%i, %i)", (streamId, messageId) => {
  expect(() => new PacketAssembly().receive(frame({ streamId, messageId }))).toThrow(
    expect.objectContaining({ code: "protocol-error" }),
  );
});

it.each([
  ["the same pair", 2, 5],
  ["a lower message id", 2, 4],
  ["a lower stream id", 1, 9],
])("refuses %s after a packet", (_, streamId, messageId) => {
  const assembly = new PacketAssembly();
  assembly.receive(frame({ streamId: 2, messageId: 5 }));
  expect(() => assembly.receive(frame({ streamId, messageId }))).toThrow(
    expect.objectContaining({ code: "protocol-error" }),
  );
});

it("takes gaps between the ids", () => {
  const assembly = new PacketAssembly();
  expect(assembly.receive(frame({ messageId: 7 }))).toMatchObject({ messageId: 7 });
  expect(assembly.receive(frame({ streamId: 9, messageId: 1 }))).toMatchObject({ streamId: 9 });
});

it("discards an unfinished packet for a newer one", () => {
  const assembly = new PacketAssembly();
  expect(assembly.receive(frame({ isDone: false, data: Uint8Array.of(1) }))).toBeUndefined();
  expect(assembly.receive(frame({ messageId: 2, data: Uint8Array.of(2) }))).toMatchObject({
    data: Uint8Array.of(2),
  });
});

it("refuses another kind within a packet", () => {
  const assembly = new PacketAssembly();
  assembly.receive(frame({ isDone: false }));
  expect(() => assembly.receive(frame({ kind: PacketKind.close }))).toThrow(
    expect.objectContaining({ code: "protocol-error" }),
  );
});

it.each([0, 8, 63])("ignores the unknown kind %i only with the control flag", (kind) => {
  const assembly = new PacketAssembly();
  expect(assembly.receive(frame({ kind, isControl: true }))).toBeUndefined();
  expect(() => assembly.receive(frame({ kind }))).toThrow(
    expect.objectContaining({ code: "protocol-error" }),
  );
});
