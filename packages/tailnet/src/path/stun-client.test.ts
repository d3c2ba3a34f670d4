import { encodeBindingResponse, parseStunMessage } from "@slipway/wire/stun/message";
import { expect, it } from "vitest";

import { StunClient, type StunRequest } from "./stun-client.ts";
import type { UdpAddress } from "./udp-address.ts";

const server = (last: number): UdpAddress => ({ address: `9.9.9.${String(last)}`, port: 3478 });

function create(): StunClient {
  let count = 0;
  return new StunClient((length) => {
    count += 1;
    return new Uint8Array(length).fill(count);
  });
}

/** Returns the response to a request, from a server that saw it arrive from a port. */
function answer({ datagram }: StunRequest, port: number): Uint8Array {
  const { transactionId } = parseStunMessage(datagram) ?? { transactionId: new Uint8Array(12) };
  return encodeBindingResponse(transactionId, { address: Uint8Array.of(20, 0, 0, 1), port });
}

it("asks each server three times, and gives up", () => {
  const client = create();
  client.start([server(1), server(2)], 1000);
  const times: number[] = [];
  for (let now = client.nextWake; now !== undefined; now = client.nextWake) {
    for (const { to } of client.tick(now)) times.push(now, Number(to.address.at(-1)));
  }
  expect(times).toEqual([1000, 1, 1000, 2, 1250, 1, 1250, 2, 1750, 1, 1750, 2]);
  expect(client.report).toEqual({ hasIpv4: false, hasIpv6: false, doesMappingVary: undefined });
});

it("ends the round with the last answer, and keeps what it saw for five minutes", () => {
  const client = create();
  client.start([server(1), server(2)], 0);
  const [first, second] = client.tick(0);
  if (first === undefined || second === undefined) throw new Error("wanted two requests");
  expect(client.receive(answer(first, 50_000), server(1), 20)).toBe(true);
  expect(client.tick(20)).toEqual([]);
  expect(client.isRunning).toBe(true);
  client.receive(answer(second, 50_000), server(2), 30);
  client.tick(30);
  expect(client.isRunning).toBe(false);
  expect(client.report).toEqual({ hasIpv4: true, hasIpv6: false, doesMappingVary: false });
  expect(client.mapped(310_000)).toEqual([{ address: "20.0.0.1", port: 50_000 }]);
  expect(client.mapped(310_030)).toEqual([]);
});

it("sees that a NAT maps each destination to another port", () => {
  const client = create();
  client.start([server(1), server(2)], 0);
  client
    .tick(0)
    .forEach((request, index) => client.receive(answer(request, 50_000 + index), request.to, 10));
  client.tick(10);
  expect(client.report.doesMappingVary).toBe(true);
  expect(client.mapped(10)).toHaveLength(2);
});

it("takes no answer of anybody but the server that was asked, nor one to no request", () => {
  const client = create();
  client.start([server(1)], 0);
  const [request] = client.tick(0);
  if (request === undefined) throw new Error("wanted a request");
  expect(client.receive(answer(request, 50_000), server(2), 10)).toBe(true);
  expect(client.receive(answer(request, 50_000), { ...server(1), port: 1 }, 10)).toBe(true);
  const foreign = encodeBindingResponse(new Uint8Array(12).fill(99), {
    address: Uint8Array.of(20, 0, 0, 1),
    port: 1,
  });
  expect(client.receive(foreign, server(1), 10)).toBe(true);
  expect(client.receive(request.datagram, server(1), 10)).toBe(true);
  expect(client.mapped(10)).toEqual([]);
});

it("takes no address that nobody can be at", () => {
  const client = create();
  client.start([server(1)], 0);
  const [request] = client.tick(0);
  const { transactionId } = parseStunMessage(request?.datagram ?? new Uint8Array()) ?? {};
  for (const address of [Uint8Array.of(224, 0, 0, 1), new Uint8Array(16)]) {
    const datagram = encodeBindingResponse(transactionId ?? new Uint8Array(), { address, port: 1 });
    client.receive(datagram, server(1), 10);
  }
  expect(client.mapped(10)).toEqual([]);
});

it("leaves other protocols to others", () => {
  const client = create();
  expect(client.receive(Uint8Array.of(4, 0, 0, 0), server(1), 0)).toBe(false);
});

it("holds a bounded number of addresses and asks a bounded number of servers", () => {
  const client = create();
  for (let round = 0; round < 20; round += 1) {
    client.start([1, 2, 3, 4, 5, 6, 7, 8, 9].map(server), round);
    const requests = client.tick(round);
    expect(requests).toHaveLength(6);
    for (const request of requests) {
      client.receive(
        answer(request, 10_000 + round * 10 + Number(request.to.address.at(-1))),
        request.to,
        round,
      );
    }
  }
  expect(client.mapped(20)).toHaveLength(8);
});
