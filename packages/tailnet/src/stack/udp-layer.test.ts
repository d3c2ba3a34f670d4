import { expect, it } from "vitest";

import { openPair, theirs, turn } from "../../tests/support/open-stack.ts";

it("carries datagrams", async () => {
  const [client, server] = openPair();
  const service = server.bindUdp(53);
  const socket = client.bindUdp();
  socket.send({ address: theirs, port: 53 }, Uint8Array.of(1, 2, 3));
  for await (const { from, payload } of service) {
    service.send(from, payload.toReversed());
    break;
  }
  for await (const { from, payload } of socket) {
    expect(from).toEqual({ address: theirs, port: 53 });
    expect(payload).toEqual(Uint8Array.of(3, 2, 1));
    break;
  }
  expect(() => client.bindUdp(socket.local.port)).toThrow(
    expect.objectContaining({ code: "port-in-use" }),
  );
  expect(() => socket.send({ address: theirs, port: 53 }, new Uint8Array(1233))).toThrow(
    expect.objectContaining({ code: "datagram-too-large" }),
  );
});

it("drops datagrams that nobody takes", async () => {
  const [client, server] = openPair({ limits: { maxDatagrams: 3 } });
  const service = server.bindUdp(53);
  const socket = client.bindUdp();
  for (let count = 0; count < 5; count += 1) {
    socket.send({ address: theirs, port: 53 }, Uint8Array.of(count));
  }
  await turn();
  expect(service.dropped).toBe(2);
});

it("relays datagrams to any port when told to", async () => {
  const [client, server] = openPair();
  server.forwardUdp(({ from, to, payload }) => server.sendUdp(to, from, payload));
  const socket = client.bindUdp();
  socket.send({ address: theirs, port: 7 }, Uint8Array.of(7));
  for await (const { from } of socket) {
    expect(from.port).toBe(7);
    break;
  }
});
