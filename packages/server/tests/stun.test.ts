import { createSocket } from "node:dgram";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";

import { sodiumCrypto } from "@slipway/relay";
import { silentLogger, systemClock } from "@slipway/runtime";
import {
  encodeBindingRequest,
  encodeBindingResponse,
  parseStunMessage,
} from "@slipway/wire/stun/message";
import { describe, expect, it, onTestFinished } from "vitest";

import { openStun } from "../src/main/wire-relay.ts";
import { bytesOf } from "./support/event-bytes.ts";

/* The STUN server beside the relay. */

describe("STUN", () => {
  it("tells a client its address, and ignores what is not STUN", async () => {
    const settings = { host: "127.0.0.1", port: 0, isRequired: true };
    const parts = { clock: systemClock, logger: silentLogger };
    await using listener = await openStun(settings, 0, parts);
    const socket = createSocket("udp4");
    onTestFinished(() => void socket.close());
    socket.bind(0, "127.0.0.1");
    await once(socket, "listening");
    const transactionId = sodiumCrypto.randomBytes(12);
    const heard = once(socket, "message");
    for (const datagram of [Buffer.from("no STUN"), encodeBindingRequest(transactionId, "t")]) {
      socket.send(datagram, listener?.port ?? 0, "127.0.0.1");
    }
    const response = bytesOf(await heard);
    expect(parseStunMessage(response)).toEqual({
      type: "binding-response",
      transactionId: new Uint8Array(transactionId),
      mapped: { address: Uint8Array.of(127, 0, 0, 1), port: socket.address().port },
    });
  });

  it("answers one address only so often", async () => {
    const settings = { host: "127.0.0.1", port: 0, isRequired: true };
    const parts = { clock: systemClock, logger: silentLogger };
    await using listener = await openStun(settings, 0, parts);
    const socket = createSocket("udp4");
    onTestFinished(() => void socket.close());
    let answers = 0;
    socket.on("message", () => (answers += 1));
    const request = encodeBindingRequest(new Uint8Array(12), "t");
    for (let count = 0; count < 150; count += 1) {
      socket.send(request, listener?.port ?? 0, "127.0.0.1");
    }
    await expect.poll(() => answers).toBeGreaterThan(50);
    await delay(100);
    expect(answers).toBeLessThan(80);
  });

  it("answers a request from an address that has sent much that is none", async () => {
    const settings = { host: "127.0.0.1", port: 0, isRequired: true };
    const parts = { clock: systemClock, logger: silentLogger };
    await using listener = await openStun(settings, 0, parts);
    const socket = createSocket("udp4");
    onTestFinished(() => void socket.close());
    const request = encodeBindingRequest(new Uint8Array(12), "t");
    const mapped = { address: Uint8Array.of(127, 0, 0, 1), port: 1 };
    const response = encodeBindingResponse(new Uint8Array(12), mapped);
    const cutOff = request.subarray(0, -1);
    const heard = once(socket, "message");
    for (let count = 0; count < 100; count += 1) {
      for (const other of [response, cutOff]) socket.send(other, listener?.port ?? 0, "127.0.0.1");
    }
    socket.send(request, listener?.port ?? 0, "127.0.0.1");
    expect(parseStunMessage(bytesOf(await heard))?.type).toBe("binding-response");
  });

  it("goes without it if the port is taken and it was not asked for", async () => {
    const taken = createSocket("udp4");
    onTestFinished(() => void taken.close());
    taken.bind(0, "127.0.0.1");
    await once(taken, "listening");
    const { port: used } = taken.address();
    const parts = { clock: systemClock, logger: silentLogger };
    const settings = { host: "127.0.0.1", port: undefined, isRequired: false };
    expect(await openStun(settings, used, parts)).toBeUndefined();
    const required = { host: "127.0.0.1", port: used, isRequired: true };
    await expect(openStun(required, 0, parts)).rejects.toThrow("SLIPWAY_STUN_ADDRESS");
    expect(await openStun(undefined, used, parts)).toBeUndefined();
  });
});
