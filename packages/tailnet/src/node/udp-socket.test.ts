import { execFileSync } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";

import { systemClock } from "@slipway/runtime";
import { encodeBindingResponse, parseStunMessage } from "@slipway/wire/stun/message";
import { expect, it, onTestFinished, vi } from "vitest";

import { nobleCrypto } from "../crypto/noble-crypto.ts";
import { PathDriver } from "../path/path-driver.ts";
import type { UdpAddress } from "../path/udp-address.ts";
import { openUdpSocket, type NodeDatagramSocket } from "./udp-socket.ts";

async function open(): Promise<NodeDatagramSocket> {
  const socket = await openUdpSocket();
  onTestFinished(() => socket.close());
  return socket;
}

it.each(["127.0.0.1", "::1"])("sends and receives batches at %s", async (address) => {
  const [one, other] = [await open(), await open()];
  const batches: { readonly bytes: number[]; readonly source: UdpAddress }[] = [];
  other.onDatagrams((datagrams, source) =>
    batches.push({ bytes: datagrams.map(([byte = 0]) => byte), source }),
  );
  const family = address.includes(":") ? "ipv6" : "ipv4";
  const buffer = Uint8Array.of(0);
  for (const byte of [1, 2, 3]) {
    buffer[0] = byte;
    one.send([buffer], { address, port: other.ports[family] ?? 0 });
  }
  await vi.waitUntil(() => batches.flatMap(({ bytes }) => bytes).length === 3);
  expect(batches.flatMap(({ bytes }) => bytes)).toEqual([1, 2, 3]);
  expect(batches[0]?.source).toEqual({ address, port: one.ports[family] });
});

it("survives datagrams that cannot be sent", async () => {
  const socket = await open();
  socket.send([new Uint8Array(70_000)], { address: "127.0.0.1", port: 9 });
  socket.send([Uint8Array.of(1)], { address: "255.255.255.255", port: 9 });
  await socket.close();
  socket.send([Uint8Array.of(1)], { address: "127.0.0.1", port: 9 });
  expect(socket.ports).toEqual({ ipv4: undefined, ipv6: undefined });
  await socket.close();
});

it("refuses a port that is in use, and leaves nothing open", async () => {
  const { ports } = await open();
  await expect(openUdpSocket({ port: ports.ipv4 ?? 0 })).rejects.toMatchObject({
    code: "EADDRINUSE",
  });
});

it("keeps its addresses while the process can open no more files", () => {
  const script = `
    import { openSync } from "node:fs";
    import { openUdpSocket } from ${JSON.stringify(new URL("udp-socket.ts", import.meta.url).href)};
    const socket = await openUdpSocket();
    const before = socket.localAddresses();
    try {
      for (;;) openSync("/dev/null");
    } catch {}
    const after = socket.localAddresses();
    await socket.close();
    console.log(before.length > 0 && before.join() === after.join());
  `;
  const flags = ["--conditions=@slipway/source", "--input-type=module", "--eval", script];
  const limited = ["-c", 'ulimit -n 64 && exec "$0" "$@"', process.execPath, ...flags];
  expect(execFileSync("sh", limited, { encoding: "utf8" })).toBe("true\n");
});

it("resolves names, and none that do not exist", async () => {
  const socket = await open();
  expect(await socket.lookup("localhost")).toContain("127.0.0.1");
  expect(await socket.lookup("name.invalid")).toEqual([]);
});

it("finds its endpoints and a direct path over real sockets", async () => {
  const stun = createSocket("udp4");
  onTestFinished(() => void stun.close());
  stun.on("message", (request, { port }) => {
    const message = parseStunMessage(request);
    const mapped = { address: Uint8Array.of(127, 0, 0, 1), port };
    if (message === undefined) return;
    stun.send(encodeBindingResponse(message.transactionId, mapped), port, "127.0.0.1");
  });
  stun.bind(0, "127.0.0.1");
  await once(stun, "listening");
  const server = { hostName: "127.0.0.1", port: stun.address().port, ipv4: "", ipv6: "none" };

  const received: number[] = [];
  const create = async () => {
    const nodeKey = nobleCrypto.createKeyPair().publicKey;
    const discoKeys = nobleCrypto.createKeyPair();
    const endpoints: string[] = [];
    const driver = new PathDriver({
      nodeKey,
      discoKeys,
      crypto: nobleCrypto,
      clock: systemClock,
      socket: await open(),
      // No relay: data sent before there is a direct path is lost.
      relaySend: () => undefined,
      deliver: (datagrams) => received.push(...datagrams.map(([byte = 0]) => byte)),
      onEndpoints: (found) => endpoints.splice(0, endpoints.length, ...found),
    });
    onTestFinished(() => driver.close());
    driver.setStunServers([server]);
    await vi.waitUntil(() => driver.udpReport?.hasIpv4 === true);
    return { driver, endpoints, nodeKey, discoKey: discoKeys.publicKey, homeRegionId: 1 };
  };
  const [one, other] = [await create(), await create()];
  expect(one.endpoints[0]).toMatch(/^127\.0\.0\.1:\d+$/);
  one.driver.setPeer(other);
  other.driver.setPeer(one);
  const { signal } = new AbortController();
  expect(await one.driver.ping(other.nodeKey, signal)).toMatchObject({ via: { kind: "udp" } });
  one.driver.sendDatagrams(other.nodeKey, [Uint8Array.of(4), Uint8Array.of(5)]);
  await vi.waitUntil(() => received.length === 2);
  expect(received).toEqual([4, 5]);
});
