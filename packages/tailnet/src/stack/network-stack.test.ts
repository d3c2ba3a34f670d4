import { expect, it } from "vitest";

import {
  connectPair,
  icmpPacket,
  openAlone,
  openPair,
  ours,
  signal,
  theirs,
  turn,
} from "../../tests/support/open-stack.ts";

it("fails when nobody can take its packets", async () => {
  const { stack } = openAlone({
    send: () => {
      throw new Error("the tunnel is broken");
    },
  });
  stack.sendUdp({ address: ours, port: 1 }, { address: theirs, port: 2 }, ours);
  await expect(stack.failed).rejects.toThrow("the tunnel is broken");
});

it("takes nothing that is not for its address, malformed, too big or from everybody", async () => {
  const { stack, sent } = openAlone();
  const echo = { type: "echo-request", identifier: 5, sequence: 6 } as const;
  const ping = icmpPacket({ ...echo, data: ours });
  const elsewhere = ping.slice();
  elsewhere[39] = 9;
  const multicast = ping.slice();
  multicast[8] = 0xff;
  const tooBig = icmpPacket({ ...echo, data: new Uint8Array(1233) });
  stack.receive([tooBig, elsewhere, multicast, ping.subarray(0, 50), new Uint8Array(3)]);
  await turn();
  expect(sent).toEqual([]);
});

it("ends all streams, listeners and sockets when it is closed", async () => {
  const [client, server] = openPair();
  const [stream, accepted] = await connectPair(client, server);
  const listener = client.listen(99);
  const socket = client.bindUdp();
  await client.close();
  await expect(stream.read(signal)).rejects.toMatchObject({ code: "aborted" });
  await expect(accepted.read(signal)).rejects.toMatchObject({ code: "reset" });
  for await (const one of listener) expect(one).toBeUndefined();
  for await (const one of socket) expect(one).toBeUndefined();
  expect(() => client.listen(99)).toThrow(expect.objectContaining({ code: "closed" }));
});
