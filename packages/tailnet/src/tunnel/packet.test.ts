import { transportBytes } from "@slipway/wire/wireguard/message";
import { expect, it } from "vitest";

import { packetBytesOf } from "./packet.ts";

it("fits the longest packet into a datagram", () => {
  expect(packetBytesOf(1312)).toBe(1280);
  expect(packetBytesOf(1440)).toBe(1408);
  for (let bytes = 1312; bytes < 20_000; bytes += 1) {
    expect(transportBytes(packetBytesOf(bytes))).toBeLessThanOrEqual(bytes);
  }
});
