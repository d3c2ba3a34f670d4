import { addWords, finishChecksum } from "@slipway/wire/bytes/internet-checksum";
import { joinBytes } from "@slipway/wire/bytes/join";
import { parseIcmpv6, writeIcmpv6 } from "@slipway/wire/ip/icmpv6";
import {
  IpProtocol,
  ipv6HeaderBytes,
  parseIpv6,
  parseQuotedIpv6,
  writeIpv6Header,
  pseudoHeaderSum,
} from "@slipway/wire/ip/ipv6";
import { answerTsmpPing, parseTsmp } from "@slipway/wire/ip/tsmp";
import { parseUdp, writeUdp } from "@slipway/wire/ip/udp";
import { optionsBytes, writeOptions } from "@slipway/wire/tcp/options";
import { parseQuotedSegment, parseSegment, writeHeader } from "@slipway/wire/tcp/segment";

import { expectSame, expectThat } from "../expectations.ts";
import type { FuzzTarget } from "../target.ts";

const addresses = [new Uint8Array(16).fill(0xfd), new Uint8Array(16).fill(0xfe)] as const;

/** IPv6 packets with TCP, UDP, ICMPv6 and TSMP: parsing, encoding and parsing again gives the same. */
export const packetsTarget: FuzzTarget = {
  name: "packets",
  maxBytes: 2048,
  maxMs: 20,
  words: ["`\0\0\0", "\u0002\u0004\u0005", "\u0001\u0001\b\n", "\u0005\n", "\u0003\u0003\u0007"],
  seeds: () => [
    packet(
      IpProtocol.tcp,
      segment([2, 4, 4, 0xc4, 4, 2, 8, 10, 0, 0, 0, 7, 0, 0, 0, 0, 1, 3, 3, 7]),
    ),
    packet(IpProtocol.tcp, segment([1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2])),
    packet(IpProtocol.tcp, segment([1, 1, 5, 10, 0, 0, 0, 1, 0, 0, 0, 2])),
    packet(IpProtocol.udp, Uint8Array.of(0, 1, 0, 2, 0, 10, 1, 1, 9, 9)),
    packet(IpProtocol.icmpv6, Uint8Array.of(128, 0, 0, 0, 0, 1, 0, 1, 9, 9)),
    packet(
      IpProtocol.icmpv6,
      joinBytes([Uint8Array.of(1, 4, 0, 0, 0, 0, 0, 0), new Uint8Array(48)]),
    ),
    packet(IpProtocol.tsmp, Uint8Array.of(0x70, 1, 2, 3, 4, 5, 6, 7, 8)),
  ],
  check: (input) => {
    const parsed = parseIpv6(input);
    const start = parsed?.payloadStart ?? 0;
    const end = parsed?.payloadEnd ?? input.length;
    checkSegment(input, start, end);
    checkDatagram(input, start, end);
    checkMessage(input, start, end);
    checkAnswer(input, start, end);
    checkQuotation(input);
  },
};

function segment(options: readonly number[]): Uint8Array {
  const words = 5 + options.length / 4;
  const header = [0, 80, 1, 0, 0, 0, 0, 1, 0, 0, 0, 2, words << 4, 0x18, 0xff, 0xff, 0, 0, 0, 0];
  return Uint8Array.from([...header, ...options, 1, 2, 3]);
}

function packet(nextHeader: number, payload: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(ipv6HeaderBytes + payload.length);
  const [source, destination] = addresses;
  writeIpv6Header(bytes, 0, { source, destination, nextHeader }, payload.length);
  bytes.set(payload, ipv6HeaderBytes);
  return bytes;
}

function checkSegment(input: Uint8Array, start: number, end: number): void {
  const read = parseSegment(input, start, end);
  if (read === undefined) return;
  const { options, payloadStart, payloadEnd } = read;
  expectThat(payloadStart >= start + 20 && payloadStart <= payloadEnd, "the payload is inside");
  expectThat(options.sackEdges.length % 2 === 0, "edges come in pairs");
  const written = new Uint8Array(200);
  const length = writeOptions(written, 0, options);
  expectSame("the length of options", optionsBytes(options), length);
  // The combined content of repeated options may not fit a header.
  if (length > 40) return;
  const headerEnd = writeHeader(written, 0, read);
  const again = parseSegment(written, 0, headerEnd);
  expectSame("a segment written and read", { ...again, ...place }, { ...read, ...place });
}

/** The fields that differ between equal segments at different positions. */
const place = { bytes: undefined, payloadStart: 0, payloadEnd: 0 };

function checkDatagram(input: Uint8Array, start: number, end: number): void {
  const datagram = parseUdp(input, start, end);
  if (datagram === undefined) return;
  const written = new Uint8Array(4096);
  const sum = pseudoHeaderSum(...addresses, IpProtocol.udp);
  const length = writeUdp(written, 0, datagram, sum);
  expectSame("a datagram written and read", parseUdp(written, 0, length), datagram);
  expectSame("its checksum", finishChecksum(addWords(sum + length, written, 0, length)), 0);
}

function checkMessage(input: Uint8Array, start: number, end: number): void {
  const message = parseIcmpv6(input, start, end);
  if (message === undefined) return;
  const written = new Uint8Array(4096);
  const sum = pseudoHeaderSum(...addresses, IpProtocol.icmpv6);
  const length = writeIcmpv6(written, 0, message, sum);
  expectSame("a message written and read", parseIcmpv6(written, 0, length), message);
  expectSame("its checksum", finishChecksum(addWords(sum + length, written, 0, length)), 0);
}

function checkAnswer(input: Uint8Array, start: number, end: number): void {
  const answer = answerTsmpPing(input);
  if (answer === undefined) return;
  const ping = parseTsmp(input, start, end);
  const answerEnd = parseIpv6(answer)?.payloadEnd;
  expectSame("the end of an answer", answerEnd, answer.length);
  expectSame("the data of a pong", parseTsmp(answer, 40, answer.length), { ...ping, type: "pong" });
  expectThat(answerTsmpPing(answer) === undefined, "a pong has no answer");
}

/** Checks that the start of a packet, as quoted by an error, parses like the whole. */
function checkQuotation(input: Uint8Array): void {
  const whole = parseIpv6(input);
  const quoted = parseQuotedIpv6(input);
  if (whole === undefined) return;
  expectSame("a quoted header", { ...quoted, payloadEnd: 0 }, { ...whole, payloadEnd: 0 });
  const { payloadStart, payloadEnd } = whole;
  const read = parseSegment(input, payloadStart, payloadEnd);
  if (read === undefined) return;
  const { sourcePort, destinationPort, sequence } = read;
  const ports = { sourcePort, destinationPort, sequence };
  expectSame("a quoted segment", parseQuotedSegment(input, payloadStart), ports);
}
