import { randomBytes } from "node:crypto";

import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { openSshWorkspace } from "../../../tests/support/ssh-workspace.ts";
import type { GcmState } from "./gcm-direction.ts";
import { GcmOpener, maxPacketBytes } from "./gcm-opener.ts";
import { GcmSealer } from "./gcm-sealer.ts";

const key = randomBytes(32);

function newState(nonce = Buffer.alloc(12)): GcmState {
  return { algorithm: "aes-256-gcm", key, nonce: Buffer.from(nonce), sequence: 3 };
}

/** Returns the encrypted packets for these payloads. */
function seal(payloads: readonly Uint8Array[], sealer?: GcmSealer): Buffer {
  const written: Uint8Array[] = [];
  const to = sealer ?? new GcmSealer(newState(), (bytes) => void written.push(bytes));
  for (const payload of payloads) {
    const packet = to.allocPacket(payload.length);
    packet.set(payload, 5);
    to.encrypt(packet);
  }
  return Buffer.concat(written);
}

/** Returns the payloads in these chunks. */
function open(chunks: readonly Buffer[]): Buffer[] {
  const payloads: Buffer[] = [];
  const opener = new GcmOpener(newState(), (payload) => void payloads.push(payload));
  for (const chunk of chunks) opener.decrypt(chunk, 0, chunk.length);
  return payloads;
}

const payloadsOf = fc.array(
  fc.oneof(
    fc.uint8Array({ minLength: 1, maxLength: 100 }),
    fc.integer({ min: 4000, max: 33_000 }).map((length) => randomBytes(length)),
  ),
  { maxLength: 6 },
);

describe("AES-GCM of SSH", () => {
  it("opens what it seals, however it is cut", () => {
    fc.assert(
      fc.property(payloadsOf, fc.array(fc.nat({ max: 120_000 })), (payloads, cuts) => {
        const sent = seal(payloads);
        const at = [0, ...cuts.filter((cut) => cut < sent.length), sent.length];
        const places = at.toSorted((one, other) => one - other);
        const chunks = places.slice(1).map((end, index) => sent.subarray(places[index], end));
        expect(open(chunks)).toEqual(payloads.map((payload) => Buffer.from(payload)));
      }),
    );
  });

  it("opens packets byte by byte", () => {
    const payloads = [Buffer.of(1), randomBytes(300)];
    const bytes = Array.from(seal(payloads), (byte) => Buffer.of(byte));
    expect(open(bytes)).toEqual(payloads);
  });

  it("starts within a chunk, and stops where it is told", () => {
    const sent = seal([Buffer.of(1), Buffer.of(2)]);
    const chunk = Buffer.concat([Buffer.alloc(3), sent]);
    const opener = new GcmOpener(newState(), () => false);
    expect(opener.decrypt(chunk, 3, chunk.length)).toBe(3 + sent.length / 2);
    expect(opener.inSeqno).toBe(4);
  });

  it("delivers nothing of a packet with any byte changed", () => {
    const sent = seal([Buffer.from("payload")]);
    const openChanged = (at: number): Buffer[] => {
      const changed = Buffer.from(sent);
      changed.writeUInt8(changed.readUInt8(at) ^ 0x80, at);
      return open([changed]);
    };
    // The lower half of the length may turn into the length of a packet that is still incomplete.
    const [lower, rest] = [[2, 3], Array.from(sent.keys()).filter((at) => at !== 2 && at !== 3)];
    expect(lower.flatMap(openChanged)).toEqual([]);
    const refused = expect.objectContaining({ code: "refused" });
    for (const at of rest) expect(() => openChanged(at)).toThrow(refused);
  });

  it("refuses packets that come again or out of turn", () => {
    const sent = seal([Buffer.of(1), Buffer.of(2)]);
    const [first, second] = [sent.subarray(0, sent.length / 2), sent.subarray(sent.length / 2)];
    expect(() => open([first, first])).toThrow();
    expect(() => open([second])).toThrow();
  });

  it.each([0, 8, 17, maxPacketBytes, 0xfffffff0])(
    "refuses a length of %i before it waits for more",
    (length) => {
      const bytes = Buffer.alloc(4);
      bytes.writeUInt32BE(length);
      expect(() => open([bytes])).toThrow(expect.objectContaining({ code: "refused" }));
    },
  );

  it.each([0, 3, 16, 255])("refuses a packet with %i bytes of padding", (padding) => {
    const written: Uint8Array[] = [];
    const sealer = new GcmSealer(newState(), (bytes) => void written.push(bytes));
    const packet = sealer.allocPacket(1);
    packet.writeUInt8(padding, 4);
    sealer.encrypt(packet);
    expect(() => open([Buffer.concat(written)])).toThrow(
      expect.objectContaining({ code: "refused" }),
    );
  });

  it("takes another nonce for each packet, across the first four bytes of their number", () => {
    const nonce = Buffer.from("0102030400000000ffffffff", "hex");
    const state = newState(nonce);
    seal([Buffer.of(1)], new GcmSealer(state, () => undefined));
    expect(Buffer.from(state.nonce).toString("hex")).toBe("010203040000000100000000");
  });

  it("pads with bytes that differ", () => {
    const sealer = new GcmSealer(newState(), () => undefined);
    const paddings = Array.from({ length: 1000 }, () => sealer.allocPacket(1).toString("hex", 6));
    expect(new Set(paddings).size).toBe(paddings.length);
  });

  it.each(["aes128-gcm@openssh.com", "aes256-gcm@openssh.com"])(
    "carries %s of OpenSSH's client through exchanges of keys",
    async (cipher) => {
      const { ssh } = await openSshWorkspace();
      const input = randomBytes(6_000_000).toString("base64");
      const flags = ["-v", `-oCiphers=${cipher}`, "-oRekeyLimit=1M"];
      const { stdout, stderr } = await ssh([...flags, "cat"], input);
      expect(stdout === input).toBe(true);
      expect(
        stderr.match(/rekeying in progress|SSH2_MSG_NEWKEYS received/g)?.length,
      ).toBeGreaterThan(8);
    },
  );
});
