import { createSeededCrypto } from "@slipway/testkit/crypto";
import { expect, it } from "vitest";

import { MacWriter } from "./cookies.ts";
import { defaultHandshakeLimits, HandshakeGate } from "./handshake-gate.ts";
import { createLocalIdentity, createRemoteIdentity } from "./identity.ts";
import { encodeInitiation, parseCookieReply, wireguardMessageKind } from "./message.ts";

const crypto = createSeededCrypto(3);
const local = createLocalIdentity(crypto, new Uint8Array(32).fill(1));
const limits = { ...defaultHandshakeLimits, loadPerSecond: 10, maxPerSecond: 100 };

function createWriter(): MacWriter {
  const remote = createRemoteIdentity(local, local.keys.publicKey);
  if (remote === undefined) throw new Error("no identity");
  return new MacWriter(crypto, remote);
}

function initiation(writer: MacWriter, now: number): Uint8Array {
  const message = encodeInitiation({
    sender: 77,
    ephemeral: crypto.randomBytes(32),
    encryptedStatic: crypto.randomBytes(48),
    encryptedTimestamp: crypto.randomBytes(28),
  });
  writer.write(message, now);
  return message;
}

/** Sends initiations without a cookie until the next one would be challenged. */
function load(gate: HandshakeGate, now: number): void {
  const writer = createWriter();
  for (let count = 0; count < limits.loadPerSecond; count += 1) {
    expect(gate.admit(initiation(writer, now), "elsewhere", now).kind).toBe("admitted");
  }
}

function challenge(gate: HandshakeGate, writer: MacWriter, source: string, now: number): void {
  const admission = gate.admit(initiation(writer, now), source, now);
  if (admission.kind !== "challenged") throw new Error(`${admission.kind}, wanted a challenge`);
  expect(wireguardMessageKind(admission.reply)).toBe("cookie-reply");
  const reply = parseCookieReply(admission.reply);
  expect(reply.receiver).toBe(77);
  const forged = { ...reply, nonce: reply.nonce.with(0, ~(reply.nonce[0] ?? 0)) };
  expect(writer.receive(forged, now)).toBe(false);
  expect(writer.receive(reply, now)).toBe(true);
  expect(writer.receive(reply, now)).toBe(false);
}

it("drops what is not meant for us, whatever the load", () => {
  const gate = new HandshakeGate(local, limits);
  const message = initiation(createWriter(), 0);
  for (let at = 0; at < 132; at += 1) {
    expect(gate.admit(message.with(at, ~(message[at] ?? 0)), "a", 0).kind).toBe("dropped");
  }
  expect(gate.admit(message, "a", 0).kind).toBe("admitted");
});

it("asks for a cookie under load, and takes it from its address only", () => {
  const gate = new HandshakeGate(local, limits);
  load(gate, 0);
  const writer = createWriter();
  challenge(gate, writer, "a", 0);
  const message = initiation(writer, 0);
  expect(gate.admit(message, "b", 0).kind).toBe("challenged");
  expect(gate.admit(message, "a", 0).kind).toBe("admitted");
});

it("asks for no cookie once the load is over", () => {
  const gate = new HandshakeGate(local, limits);
  load(gate, 0);
  const kinds = [0, 999, 3000].map(
    (now) => gate.admit(initiation(createWriter(), 0), "a", now).kind,
  );
  expect(kinds).toEqual(["challenged", "challenged", "admitted"]);
});

it("takes a cookie for two minutes", () => {
  const gate = new HandshakeGate(local, limits);
  load(gate, 0);
  const writer = createWriter();
  challenge(gate, writer, "a", 0);
  load(gate, 119_000);
  expect(gate.admit(initiation(writer, 119_000), "a", 119_000).kind).toBe("admitted");
  expect(gate.admit(initiation(writer, 120_000), "a", 119_500).kind).toBe("challenged");
});

it("admits an address twenty times a second under load", () => {
  const gate = new HandshakeGate(local, limits);
  load(gate, 0);
  const writer = createWriter();
  challenge(gate, writer, "a", 0);
  const kinds: string[] = [];
  for (let now = 0; now < 1000; now += 10) {
    kinds.push(gate.admit(initiation(writer, now), "a", now).kind);
  }
  const count = kinds.filter((kind) => kind === "admitted").length;
  expect(count).toBeGreaterThanOrEqual(20);
  expect(count).toBeLessThanOrEqual(25);
  expect(new Set(kinds)).toEqual(new Set(["admitted", "dropped"]));
});

it("computes no more than the limit, from however many addresses", () => {
  const gate = new HandshakeGate(local, limits);
  const writer = createWriter();
  const counts = { admitted: 0, challenged: 0, dropped: 0 };
  for (let count = 0; count < 1000; count += 1) {
    counts[gate.admit(initiation(writer, 0), `address ${count}`, 0).kind] += 1;
  }
  expect(counts).toEqual({ admitted: 10, challenged: 100, dropped: 890 });
});
