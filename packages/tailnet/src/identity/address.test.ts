import { BytesError } from "@slipway/wire/bytes/errors";
import { encodeHex } from "@slipway/wire/bytes/hex";
import { expect, it } from "vitest";

import {
  agentAddresses,
  agentServiceAddress,
  isTunnelAddress,
  randomClientAddress,
} from "./address.ts";

const agentId = "f3a1c2d4-5e6f-4a7b-8c9d-0e1f2a3b4c5d";

it("derives both addresses of an agent from its UUID", () => {
  expect(agentAddresses(agentId).map(encodeHex)).toEqual([
    "fd7a115ca1e04a7b8c9d0e1f2a3b4c5d",
    "fd60627aa42b4a7b8c9d0e1f2a3b4c5d",
  ]);
  expect(agentServiceAddress(agentId)).toEqual(agentAddresses(agentId)[0]);
  expect(() => agentAddresses("demo")).toThrow(BytesError);
});

it("makes the address of a client of a random UUID", () => {
  const address = randomClientAddress((count) => new Uint8Array(count).fill(0xff));
  expect(encodeHex(address)).toBe("fd7a115ca1e04fffbfffffffffffffff");
});

it("knows the addresses inside the network", () => {
  for (const address of agentAddresses(agentId)) expect(isTunnelAddress(address)).toBe(true);
  expect(isTunnelAddress(Uint8Array.of(0xfd, 0x7a, 0x11, 0x5c))).toBe(false);
  expect(isTunnelAddress(new Uint8Array(16).fill(0xfd))).toBe(false);
});
