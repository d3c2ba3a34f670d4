import { ByteQueue } from "@slipway/wire/bytes/byte-queue";
import { BytesError } from "@slipway/wire/bytes/errors";
import { GrowingBuffer } from "@slipway/wire/bytes/growing-buffer";
import { encodeHex, parseHex } from "@slipway/wire/bytes/hex";
import { joinBytes } from "@slipway/wire/bytes/join";
import { encodeUtf8, parseUtf8, parseUtf8Lenient } from "@slipway/wire/bytes/utf8";
import { encodeUuid, parseUuid } from "@slipway/wire/bytes/uuid";
import { appendVarint, parseVarint } from "@slipway/wire/bytes/varint";

import { chunksOf, expectSame, expectThat, outcomeOf, valueOf } from "../expectations.ts";
import { type FuzzTarget, textOf, utf8 } from "../target.ts";

/** Varints, UUIDs, hexadecimal digits, UTF-8 and the two queues. */
export const bytesTarget: FuzzTarget = {
  name: "bytes",
  maxBytes: 512,
  maxMs: 20,
  words: ["00000000-0000-0000-0000-000000000000", "ffff", "\u{1f600}", "-"],
  seeds: () => [
    Uint8Array.of(0x96, 0x01),
    new Uint8Array(10).fill(0x80),
    utf8("0123abcd-4567-89ef-0123-456789abcdef"),
    utf8("déjà vu \u{1f600}"),
  ],
  check: (input) => {
    checkVarint(input);
    checkTexts(input);
    checkQueues(input);
  },
};

function checkVarint(input: Uint8Array): void {
  const whole = outcomeOf(() => parseVarint(input, 0), BytesError);
  if (whole.kind === "refused" || whole.value === undefined) return;
  const { value, next } = whole.value;
  const shortest: number[] = [];
  appendVarint(shortest, value);
  expectThat(shortest.length <= next, "a varint is written no longer than it was read");
  const again = parseVarint(Uint8Array.from(shortest), 0);
  expectSame("a varint written and read", again, { value, next: shortest.length });
  expectSame("a varint cut short", parseVarint(input.subarray(0, next - 1), 0), undefined);
}

function checkTexts(input: Uint8Array): void {
  const text = textOf(input);
  const hex = valueOf(() => parseHex(text), BytesError);
  if (hex !== undefined) expectSame("hex", encodeHex(hex), text.toLowerCase());
  expectSame("bytes through hex", parseHex(encodeHex(input)), input);
  const uuid = valueOf(() => encodeUuid(text), BytesError);
  if (uuid !== undefined) expectSame("a UUID", parseUuid(uuid), text.toLowerCase());
  const id = valueOf(() => parseUuid(input.subarray(0, 16)), BytesError);
  if (id !== undefined) expectSame("an id", encodeUuid(id), input.subarray(0, 16));
  const exact = valueOf(() => parseUtf8(input), BytesError);
  if (exact !== undefined) expectSame("UTF-8", encodeUtf8(exact), input);
  expectThat(parseUtf8Lenient(input).isWellFormed(), "lenient UTF-8 is well-formed");
}

function checkQueues(input: Uint8Array): void {
  const [seed = 0] = input;
  const queue = new ByteQueue();
  const buffer = new GrowingBuffer();
  const taken: Uint8Array[] = [];
  for (const [at, chunk] of chunksOf(input, seed).entries()) {
    queue.push(chunk);
    buffer.append(chunk);
    if (at % 3 === 0) taken.push(...queue.take(seed));
  }
  taken.push(...queue.take(Number.MAX_SAFE_INTEGER));
  expectSame("bytes through a queue", joinBytes(taken).slice(), input.slice());
  expectSame("bytes through a buffer", buffer.take().slice(), input.slice());
}
