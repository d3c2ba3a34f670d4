import { randomUUID } from "node:crypto";

import { encodeDerpFrame } from "@slipway/wire/derp/frame";
import { encodeClientInfo } from "@slipway/wire/derp/login";
import { describe, expect, it } from "vitest";

import { linkRelays } from "../tests/support/linked-relays.ts";
import { ScriptedClient } from "../tests/support/scripted-client.ts";
import { openTestRelay } from "../tests/support/test-relay.ts";
import { sodiumCrypto } from "./crypto.ts";
import { deriveLinkSecrets, encodeMeshLogin, isProven, readMeshLogin } from "./mesh-login.ts";
import { sealedFrameType } from "./sealed-link.ts";

const meshKey = "k".repeat(32);
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Two relays, with a client at the second one, for which the first one has packets. */
function openTwo() {
  const [{ relay: one }, { relay: two }] = [openTestRelay({ meshKey }), openTestRelay({ meshKey })];
  const [ann, bob] = [new ScriptedClient(one).login(), new ScriptedClient(two).login()];
  return { one, two, ann, bob };
}

const isRecord = ([type]: Uint8Array): boolean => type === sealedFrameType;

describe("what passes between two relays", () => {
  it("is sealed from the login on: neither keys nor packets are readable", async () => {
    const { one, two, ann, bob } = openTwo();
    const chunks: Buffer[] = [];
    const tamper = (chunk: Uint8Array): readonly Uint8Array[] => {
      chunks.push(Buffer.from(chunk));
      return [chunk];
    };
    linkRelays(one, two, { tamper });
    await turn();
    ann.sendPacket(bob, "a packet for bob");
    await turn();
    expect(bob.packets).toHaveLength(1);
    const text = Buffer.concat(chunks).toString("latin1");
    const keys = [bob, ann].map(({ keys: { publicKey } }) =>
      Buffer.from(publicKey).toString("latin1"),
    );
    for (const secret of [...keys, "a packet for bob", meshKey]) expect(text).not.toContain(secret);
    expect(chunks.filter(isRecord).length).toBeGreaterThan(2);
  });

  /** Changes the records toward the accepting relay, and counts them. */
  const changes: Readonly<
    Record<string, (record: Uint8Array, earlier: readonly Uint8Array[]) => readonly Uint8Array[]>
  > = {
    "a changed bit": (record) => [record.with(record.length - 20, (record.at(-20) ?? 0) ^ 1)],
    "a changed tag": (record) => [record.with(record.length - 1, (record.at(-1) ?? 0) ^ 1)],
    "a shortened record": (record) => {
      const cut = record.slice(0, -1);
      cut[4] = (cut[4] ?? 0) - 1;
      return [cut];
    },
    "a repeated record": (record) => [record, record],
    "an earlier record": (record, [first = record]) => [first],
    "an unsealed frame": (record) => [
      encodeDerpFrame({ type: "close-peer", key: new Uint8Array(32) }),
      record,
    ],
    "a record of zeros": (record) => [new Uint8Array(record.length).with(0, sealedFrameType)],
  };

  it.each(Object.entries(changes))("closes a link with %s", async (_, change) => {
    const { one, two, ann, bob } = openTwo();
    const records: Uint8Array[] = [];
    let isAttacked = false;
    const tamper = (chunk: Uint8Array, to: "client" | "server"): readonly Uint8Array[] => {
      if (to === "client" || !isRecord(chunk)) return [chunk];
      records.push(Uint8Array.from(chunk));
      return isAttacked ? change(chunk, records) : [chunk];
    };
    linkRelays(one, two, { tamper });
    await turn();
    expect([one.counters.links, two.counters.links]).toEqual([1, 1]);
    isAttacked = true;
    ann.sendPacket(bob, "attacked");
    await turn();
    expect([one.counters.links, two.counters.links]).toEqual([0, 0]);
    expect(two.counters.closed["protocol-error"]).toBe(1);
    // No more than the sealed records arrived, each once.
    expect(bob.packets.length).toBeLessThanOrEqual(1);
  });

  it("closes a link whose records are left out, or come in another order", async () => {
    for (const order of ["without the first", "reversed"]) {
      const { one, two, ann, bob } = openTwo();
      let held: Uint8Array[] | undefined;
      const tamper = (chunk: Uint8Array, to: "client" | "server"): readonly Uint8Array[] => {
        if (to === "client" || held === undefined) return [chunk];
        held.push(Uint8Array.from(chunk));
        if (held.length < 2) return [];
        return order === "reversed" ? held.toReversed() : held.slice(1);
      };
      linkRelays(one, two, { tamper });
      await turn();
      held = [];
      ann.sendPacket(bob, "first");
      await turn();
      ann.sendPacket(bob, "second");
      await turn();
      expect([bob.packets.length, two.counters.links]).toEqual([0, 0]);
    }
  });

  it("closes a link to which its own records are sent back", async () => {
    const { one, two, ann, bob } = openTwo();
    let isAttacked = false;
    const back: Uint8Array[] = [];
    const tamper = (chunk: Uint8Array, to: "client" | "server"): readonly Uint8Array[] => {
      if (isAttacked && to === "server") back.push(Uint8Array.from(chunk));
      return to === "client" && isAttacked ? back.splice(0) : [chunk];
    };
    linkRelays(one, two, { tamper });
    await turn();
    isAttacked = true;
    ann.sendPacket(bob, "goes, and comes back instead of the next notice");
    await turn();
    new ScriptedClient(two).login();
    await turn();
    expect(one.counters).toMatchObject({ links: 0, closed: { "protocol-error": 1 } });
  });
});

describe("a relay's login", () => {
  it("is refused by another relay than it is meant for, to which somebody passes it on", async () => {
    const { one, two, ann, bob } = openTwo();
    // At the address of a relay that is gone, an attacker forwards everything to a live one.
    linkRelays(one, two, { serverId: randomUUID() });
    await turn();
    expect([one.counters.links, two.counters.links]).toEqual([0, 0]);
    expect(two.counters.closed["login-refused"]).toBe(1);
    ann.sendPacket(bob, "not to whoever that is");
    await turn();
    expect(bob.packets).toEqual([]);
  });

  it("is given up if the other end does not prove the key, though it answers", async () => {
    const { relay, clock } = openTestRelay({ meshKey });
    const impostor = sodiumCrypto.createKeyPair();
    const sent: Uint8Array[] = [];
    let isClosed = false;
    const session = relay.link(
      {
        send: (pieces, done) => {
          sent.push(...pieces.map((piece) => Uint8Array.from(piece)));
          done();
        },
        pause: () => undefined,
        resume: () => undefined,
        end: () => (isClosed = true),
        destroy: () => (isClosed = true),
      },
      "id",
    );
    session.receive(encodeDerpFrame({ type: "server-key", key: impostor.publicKey }));
    const clientKey = sent[0]?.subarray(5, 37) ?? new Uint8Array(32);
    const nonce = new Uint8Array(24);
    const box = sodiumCrypto.sealBox(Buffer.from('{"version":2}'), {
      nonce,
      publicKey: clientKey,
      privateKey: impostor.privateKey,
    });
    // An earlier version responds like this, because it treats the relay as a client.
    session.receive(encodeDerpFrame({ type: "server-info", nonce, box }));
    await turn();
    expect([sent.length, relay.counters.links]).toEqual([1, 0]);
    session.receive(encodeDerpFrame({ type: "peer-present", key: clientKey }));
    expect([isClosed, relay.counters.closed["protocol-error"]]).toEqual([true, 1]);
    await clock.advance(11_000);
    expect(relay.counters.links).toBe(0);
  });

  it("is given up after a while if nothing sealed comes", async () => {
    const { one, two } = openTwo();
    const { relay, clock } = openTestRelay({ meshKey });
    linkRelays(relay, one, { tamper: (chunk) => (isRecord(chunk) ? [] : [chunk]) });
    await turn();
    expect(relay.counters.links).toBe(0);
    await clock.advance(11_000);
    expect(relay.counters.closed["login-timeout"]).toBe(1);
    expect(two.counters.links).toBe(0);
  });

  it("is refused as earlier versions write it, and does no harm", () => {
    const { relay } = openTestRelay({ meshKey });
    const old = new ScriptedClient(relay);
    const { publicKey: key, privateKey } = old.keys;
    const nonce = sodiumCrypto.randomBytes(24);
    const info = encodeClientInfo({ meshKey: "x".repeat(43), canAckPings: true });
    const box = sodiumCrypto.sealBox(info, { nonce, publicKey: old.relayKey, privateKey });
    old.send({ type: "client-info", key, nonce, box });
    expect([old.isOpen, relay.counters.closed["login-refused"]]).toEqual([false, 1]);
  });

  it("proves the ids and the keys of both ends, and the key of the mesh", () => {
    const key = (byte: number): Uint8Array => new Uint8Array(32).fill(byte);
    const ends = { clientId: "a", serverId: "b", clientKey: key(1), serverKey: key(2) };
    const login = readMeshLogin(encodeMeshLogin(meshKey, ends));
    expect(login).toMatchObject({ clientId: "a", serverId: "b" });
    const proof = login?.proof ?? "";
    expect(isProven({ proof }, meshKey, ends)).toBe(true);
    expect(isProven({ proof: "" }, meshKey, ends)).toBe(false);
    expect(isProven({ proof }, "another key", ends)).toBe(false);
    expect(
      isProven({ proof: readMeshLogin(encodeMeshLogin("", ends))?.proof ?? "" }, "", ends),
    ).toBe(false);
    const secrets = deriveLinkSecrets(meshKey, key(9), ends);
    expect(secrets.toServer).not.toEqual(secrets.toClient);
    for (const other of [
      { ...ends, clientId: "c" },
      { ...ends, serverId: "c" },
      { ...ends, clientKey: key(3) },
      { ...ends, serverKey: key(3) },
    ]) {
      expect(isProven({ proof }, meshKey, other)).toBe(false);
      expect(deriveLinkSecrets(meshKey, key(9), other).toServer).not.toEqual(secrets.toServer);
    }
    expect(deriveLinkSecrets("another key", key(9), ends).toServer).not.toEqual(secrets.toServer);
    expect(deriveLinkSecrets(meshKey, key(8), ends).toServer).not.toEqual(secrets.toServer);
  });
});
