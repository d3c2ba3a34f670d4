import { issue, signMessage } from "@slipway/testkit/clouds";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { azureIntermediates } from "./azure-intermediates.ts";
import { requireModestDer } from "./der-shape.ts";

/** Returns a DER value with a tag and a length. */
function value(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const head = length < 128 ? [length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...head]), content]);
}

const sequence = (...parts: readonly Uint8Array[]): Buffer => value(0x30, ...parts);
const nothing = value(0x05);

describe("the shape of a message", () => {
  it("is that of messages and certificates of Azure", async () => {
    const signer = await issue({ name: "metadata.azure.com" });
    const certificates = [signer, signer, signer, signer];
    requireModestDer(Buffer.from(signMessage("{}", { signer, certificates }), "base64"));
    for (const text of Object.values(azureIntermediates)) {
      requireModestDer(Buffer.from(text, "base64"));
    }
  });

  it("has few values", () => {
    const many = (count: number) => sequence(...Array.from({ length: count }, () => nothing));
    requireModestDer(many(799));
    expect(() => requireModestDer(many(800))).toThrow("found more than 800 values");
  });

  it("has few certificates", async () => {
    const signer = await issue({ name: "metadata.azure.com" });
    const certificates = [signer, signer, signer, signer, signer];
    const message = Buffer.from(signMessage("{}", { signer, certificates }), "base64");
    expect(() => requireModestDer(message)).toThrow("found more than 4 certificates");
  });

  it("is not deep", () => {
    const deep = (depth: number): Buffer => (depth === 0 ? nothing : sequence(deep(depth - 1)));
    requireModestDer(deep(31));
    expect(() => requireModestDer(deep(32))).toThrow("found values nested more than 32 deep");
  });

  it.each<[string, Uint8Array, string]>([
    ["is not large", value(0x04, Buffer.alloc(16 * 1024)), "wanted at most 16384"],
    ["says its lengths", Buffer.from([0x30, 0x80, 0, 0]), "a length that is missing"],
    ["has short lengths", Buffer.from([0x30, 0x84, 0, 0, 0, 0]), "or too long"],
    ["has short tags", Buffer.from([0x3f, 0x81, 1, 0]), "a long tag"],
    ["is whole", value(0x30, nothing).subarray(0, 3), "ends too early"],
    ["has a length", Buffer.from([0x30]), "a length that is missing"],
    ["stays within", Buffer.from([0x30, 2, 0x04, 1]), "ends too early"],
    ["is one", Buffer.concat([nothing, nothing]), "more than one value"],
  ])("%s", (_, bytes, message) => {
    expect(() => requireModestDer(bytes)).toThrow(message);
  });

  it("is found out of any bytes", () => {
    const faultOf = (bytes: Uint8Array): unknown => {
      try {
        return requireModestDer(bytes);
      } catch (error) {
        return error;
      }
    };
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(faultOf(bytes)).not.toBeInstanceOf(RangeError);
      }),
    );
  });
});
