import { expect, it } from "vitest";

import { openUdpSocket } from "./udp-socket.ts";

const loopback = [
  ["127.0.0.1", "ipv4"],
  ["::1", "ipv6"],
] as const;

it.runIf(process.platform === "linux")(
  "sends long datagrams within the machine, and says so",
  async () => {
    await using sender = await openUdpSocket();
    await using receiver = await openUdpSocket();
    for (const [address, family] of loopback) {
      const port = receiver.ports[family];
      if (port === undefined) continue;
      const arrived = Promise.withResolvers<number>();
      receiver.onDatagrams(([datagram]) => arrived.resolve(datagram?.length ?? 0));
      expect(sender.sendWhole(new Uint8Array(16_416), { address, port })).toBe(true);
      expect(await arrived.promise).toBe(16_416);
    }
  },
);

it("sends none that is longer than any interface takes", async () => {
  await using sender = await openUdpSocket();
  for (const address of ["127.0.0.1", "203.0.113.1", "2001:db8::1"]) {
    expect(sender.sendWhole(new Uint8Array(66_000), { address, port: 9 })).toBe(false);
  }
});

it("sends nothing once it is closed", async () => {
  const sender = await openUdpSocket();
  await sender.close();
  expect(sender.sendWhole(new Uint8Array(10), { address: "127.0.0.1", port: 9 })).toBe(false);
});
