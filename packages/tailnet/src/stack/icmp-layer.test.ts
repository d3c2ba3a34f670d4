import { parseIcmpv6 } from "@slipway/wire/ip/icmpv6";
import { parseIpv6 } from "@slipway/wire/ip/ipv6";
import { expect, it } from "vitest";

import {
  connectPair,
  icmpPacket,
  openAlone,
  openSeenPair,
  ours,
  readAll,
  signal,
  theirs,
  turn,
} from "../../tests/support/open-stack.ts";

it("answers an echo request", async () => {
  const { stack, sent } = openAlone();
  const data = Uint8Array.of(1, 2, 3);
  stack.receive([icmpPacket({ type: "echo-request", identifier: 5, sequence: 6, data })]);
  await turn();
  const [answer = new Uint8Array()] = sent;
  const packet = parseIpv6(answer);
  expect(packet).toMatchObject({ source: ours, destination: theirs });
  expect(parseIcmpv6(answer, 40, answer.length)).toEqual({
    type: "echo-reply",
    identifier: 5,
    sequence: 6,
    data,
  });
});

it("tells what cannot be reached, a hundred times a second", async () => {
  const { stack, sent } = openAlone();
  const unknown = icmpPacket({ type: "echo-reply", identifier: 1, sequence: 1, data: ours });
  unknown[6] = 77;
  stack.receive(Array<Uint8Array>(1000).fill(unknown));
  await turn();
  expect(sent).toHaveLength(100);
  const [answer = new Uint8Array()] = sent;
  expect(parseIcmpv6(answer, 40, answer.length)).toEqual({
    type: "unknown-next-header",
    pointer: 6,
    cause: unknown,
  });
});

it("ends a connection attempt when ICMPv6 says that the peer cannot be reached", async () => {
  const { stack, sent } = openAlone();
  const connecting = stack.connect({ address: theirs, port: 80 }, { signal });
  const failed = expect(connecting).rejects.toMatchObject({ code: "unreachable" });
  await turn();
  const [syn = new Uint8Array()] = sent;
  stack.receive([icmpPacket({ type: "unreachable", code: 0, cause: syn.subarray(0, 48) })]);
  await failed;
});

it("takes no ICMPv6 error about what it has not sent, nor about an open connection", async () => {
  const { stack, sent } = openAlone();
  const connecting = stack.connect({ address: theirs, port: 80 }, { signal });
  connecting.catch(() => undefined);
  await turn();
  const [syn = new Uint8Array()] = sent;
  const otherSequence = syn.slice(0, 48);
  otherSequence[44] = (otherSequence[44] ?? 0) ^ 1;
  const otherPort = syn.slice(0, 48);
  otherPort[41] = (otherPort[41] ?? 0) ^ 1;
  for (const cause of [otherSequence, otherPort, syn.slice(0, 47), syn.slice(0, 20)]) {
    stack.receive([icmpPacket({ type: "unreachable", code: 0, cause })]);
    stack.receive([icmpPacket({ type: "unknown-next-header", pointer: 6, cause })]);
  }
  await turn();
  expect(stack.connections).toBe(1);
  const packets: Uint8Array[] = [];
  const [client, server] = openSeenPair((batch) => void packets.push(...batch));
  const [stream, accepted] = await connectPair(client, server);
  const upload = stream.write(new Uint8Array(20_000), signal).then(() => stream.finish());
  for (const packet of packets.slice(0, 3)) {
    const cause = packet.subarray(0, 60);
    client.receive([icmpPacket({ type: "unreachable", code: 0, cause })]);
    client.receive([icmpPacket({ type: "packet-too-big", mtu: 68, cause })]);
  }
  expect(await readAll(accepted)).toHaveLength(20_000);
  await upload;
  // A forged MTU does not shrink segments: a tunnel's MTU is the IPv6 minimum.
  expect(packets.filter(({ length }) => length === 1280).length).toBeGreaterThan(14);
});
