import { TcpPair } from "@slipway/testkit/links";
import type { EndPlan, LinkOptions } from "@slipway/testkit/links";
import fc from "fast-check";
import { expect, it } from "vitest";

import type { TcpOptions } from "./connection-options.ts";

const hour = 3_600_000;
/** The maximum number of full segments per direction; more only take longer. */
const maxSegments = 150;

const anyLink: fc.Arbitrary<LinkOptions> = fc.record({
  delayMs: fc.constantFrom(0, 0.1, 5, 50),
  bytesPerMs: fc.constantFrom(100, 2000, Number.POSITIVE_INFINITY),
  queuePackets: fc.constantFrom(5, 32, 256),
  lossRate: fc.constantFrom(0, 0.01, 0.1, 0.2),
  duplicateRate: fc.constantFrom(0, 0.05, 0.5),
  lateRate: fc.constantFrom(0, 0.05, 0.5),
  lateMs: fc.constantFrom(1, 30, 300),
});

const anyPlan: fc.Arbitrary<EndPlan> = fc.record({
  sendBytes: fc.oneof(fc.nat(5), fc.nat(5000), fc.nat(300_000)),
  readBytes: fc.constantFrom(100, 3000, Number.POSITIVE_INFINITY),
});

const anyTcp: fc.Arbitrary<TcpOptions> = fc.record({
  maxReceiveBytes: fc.constantFrom(2000, 60_000, 6_000_000),
  maxSendBytes: fc.constantFrom(500, 60_000, 4_000_000),
  delaysSmallSegments: fc.boolean(),
  toleratesNoise: fc.boolean(),
  userTimeoutMs: fc.constant(hour),
});

/** Numbers that wrap during the transfer, and others. */
const anySequence = fc.constantFrom(0, 0xffff_fff0, 0x7fff_f000, 123_456_789);

it("delivers the same bytes in order, whatever the links do to the packets", () => {
  fc.assert(
    fc.property(
      fc.record({
        seed: fc.nat(1000),
        client: anyPlan,
        server: anyPlan,
        toServer: anyLink,
        toClient: anyLink,
        tcp: anyTcp,
        initialSequences: fc.tuple(anySequence, anySequence),
        mtu: fc.constantFrom(150, 1280, 9000),
      }),
      ({ toServer, toClient, ...drawn }) => {
        const options = {
          ...drawn,
          client: shortened(drawn.client),
          server: shortened(drawn.server),
        };
        function shortened(plan: EndPlan): EndPlan {
          return { ...plan, sendBytes: Math.min(plan.sendBytes, maxSegments * drawn.mtu) };
        }
        const pair = new TcpPair({ ...options, link: { toServer, toClient } });
        const { client, server } = pair;
        pair.run(() => client.isOver && server.isOver, hour);
        // A client whose SYN was never answered gives up, as does an end whose last ACKs were all lost.
        const opened = client.error?.code !== "timed-out" || client.read > 0;
        for (const [end, other] of [
          [client, options.server] as const,
          [server, options.client] as const,
        ]) {
          expect(end.isSpoilt).toBe(false);
          expect(end.read).toBeLessThanOrEqual(other.sendBytes);
          expect(!opened || end.read === other.sendBytes).toBe(true);
        }
      },
    ),
    { numRuns: 75 },
  );
});

it("delivers what was written before either end finished its half", () => {
  fc.assert(
    fc.property(fc.nat(1000), anyLink, fc.boolean(), (seed, link, isClientFirst) => {
      const first = { sendBytes: 3000 };
      const second = { sendBytes: 100_000 };
      const pair = new TcpPair({
        seed,
        link: { ...link, lossRate: Math.min(link.lossRate ?? 0, 0.1) },
        client: isClientFirst ? first : second,
        server: isClientFirst ? second : first,
        tcp: { userTimeoutMs: hour },
      });
      const { client, server } = pair;
      pair.run(() => client.isOver && server.isOver, hour);
      expect(client).toMatchObject({ isSpoilt: false, isPeerFinished: true, isClosed: true });
      expect(server).toMatchObject({ isSpoilt: false, isPeerFinished: true, isClosed: true });
      expect(client.read + server.read).toBe(103_000);
    }),
    { numRuns: 30 },
  );
});
