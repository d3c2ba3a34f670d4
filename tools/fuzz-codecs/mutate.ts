import type { Random } from "@slipway/testkit/random";

import { utf8 } from "./target.ts";

/** The material of mutations. */
export interface MutationSource {
  readonly random: Random;
  /** The inputs that reached new code. */
  readonly corpus: readonly Uint8Array[];
  readonly words: readonly string[];
  readonly maxBytes: number;
}

type Mutation = (bytes: Uint8Array, source: MutationSource) => Uint8Array;

/** The maximum number of mutations applied in sequence. */
const maxSteps = 6;
/** The maximum number of bytes that one mutation adds, unless it multiplies a part. */
const maxAdded = 32;
const edgeNumbers = [
  "-1",
  "0",
  "1",
  "60",
  "255",
  "256",
  "65536",
  "2147483648",
  "9007199254740993",
  "1e999",
];
const edgeBytes = [0, 1, 0x7f, 0x80, 0xff, 0x0a, 0x20, 0x22, 0x3a];

/** Returns a new input derived from the corpus. */
export function mutate(source: MutationSource): Uint8Array {
  const { random, corpus, maxBytes } = source;
  let bytes = random.pick(corpus) ?? new Uint8Array();
  for (let step = random.below(maxSteps); step >= 0; step -= 1) {
    const mutation = random.pick(mutations);
    if (mutation !== undefined) bytes = mutation(bytes, source).subarray(0, maxBytes);
  }
  return bytes;
}

const mutations: readonly Mutation[] = [
  flipBit,
  setByte,
  addRandomBytes,
  addWord,
  addWord,
  remove,
  remove,
  copyWithin,
  spliceOther,
  spliceOther,
  changeNumber,
  changeInteger,
  multiply,
  swapHalves,
];

function flipBit(bytes: Uint8Array, { random }: MutationSource): Uint8Array {
  const changed = bytes.slice();
  const at = random.below(changed.length);
  if (at < changed.length) changed[at] = (changed[at] ?? 0) ^ (1 << random.below(8));
  return changed;
}

function setByte(bytes: Uint8Array, { random }: MutationSource): Uint8Array {
  const changed = bytes.slice();
  const at = random.below(changed.length);
  if (at < changed.length) {
    changed[at] = random.below(2) === 0 ? random.below(256) : (random.pick(edgeBytes) ?? 0);
  }
  return changed;
}

function addRandomBytes(bytes: Uint8Array, { random }: MutationSource): Uint8Array {
  const at = random.below(bytes.length + 1);
  const length = 1 + random.below(maxAdded);
  return insert(
    bytes,
    at,
    Uint8Array.from({ length }, () => random.below(256)),
  );
}

function addWord(bytes: Uint8Array, { random, words }: MutationSource): Uint8Array {
  const word = utf8(random.pick(words) ?? "");
  const at = random.below(bytes.length + 1);
  // Replaces as many bytes, or inserts the new ones.
  return random.below(2) === 0
    ? insert(bytes, at, word)
    : splice(bytes, at, at + word.length, word);
}

function remove(bytes: Uint8Array, { random }: MutationSource): Uint8Array {
  const from = random.below(bytes.length);
  const most = random.below(4) === 0 ? bytes.length - from : maxAdded;
  return splice(bytes, from, from + 1 + random.below(most), new Uint8Array());
}

function copyWithin(bytes: Uint8Array, { random }: MutationSource): Uint8Array {
  return insert(bytes, random.below(bytes.length + 1), part(bytes, random));
}

function spliceOther(bytes: Uint8Array, { random, corpus }: MutationSource): Uint8Array {
  const other = part(random.pick(corpus) ?? bytes, random);
  const from = random.below(bytes.length + 1);
  return splice(bytes, from, from + random.below(other.length * 2 + 1), other);
}

/** Replaces a number written in digits with another. */
function changeNumber(bytes: Uint8Array, { random }: MutationSource): Uint8Array {
  const isDigit = (at: number): boolean => {
    const byte = bytes[at] ?? 0;
    return byte >= 0x30 && byte <= 0x39;
  };
  const start = random.below(bytes.length);
  let from = start;
  while (from < bytes.length && !isDigit(from)) from += 1;
  let to = from;
  while (to < bytes.length && isDigit(to)) to += 1;
  return splice(bytes, from, to, utf8(random.pick(edgeNumbers) ?? ""));
}

/** Sets 2 or 4 bytes, high byte first, to a boundary value. */
function changeInteger(bytes: Uint8Array, { random }: MutationSource): Uint8Array {
  const size = random.below(2) === 0 ? 2 : 4;
  if (bytes.length < size) return bytes;
  const changed = bytes.slice();
  const view = new DataView(changed.buffer);
  const value = random.pick([0, 1, 255, 256, 0xffff, 0x1_0000, 0x7fff_ffff, 0xffff_ffff]) ?? 0;
  const at = random.below(bytes.length - size + 1);
  if (size === 2) view.setUint16(at, value);
  else view.setUint32(at, value);
  return changed;
}

function multiply(bytes: Uint8Array, { random, maxBytes }: MutationSource): Uint8Array {
  const piece = part(bytes, random).subarray(0, 1 + random.below(maxAdded));
  if (piece.length === 0) return bytes;
  const limit = Math.max(1, Math.floor(Math.min(maxBytes, 4096) / piece.length));
  const times = 1 + random.below(random.below(8) === 0 ? limit : 16);
  const many = new Uint8Array(piece.length * times);
  for (let at = 0; at < many.length; at += piece.length) many.set(piece, at);
  return insert(bytes, random.below(bytes.length + 1), many);
}

function swapHalves(bytes: Uint8Array, { random }: MutationSource): Uint8Array {
  const at = random.below(bytes.length + 1);
  return insert(bytes.subarray(at), bytes.length - at, bytes.subarray(0, at));
}

function part(bytes: Uint8Array, random: Random): Uint8Array {
  const from = random.below(bytes.length);
  return bytes.subarray(from, from + 1 + random.below(Math.max(bytes.length - from, 1)));
}

function insert(bytes: Uint8Array, at: number, added: Uint8Array): Uint8Array {
  return splice(bytes, at, at, added);
}

/** Returns the bytes with those between `from` and `to` replaced. */
function splice(bytes: Uint8Array, from: number, to: number, added: Uint8Array): Uint8Array {
  const head = bytes.subarray(0, from);
  const tail = bytes.subarray(Math.min(to, bytes.length));
  const joined = new Uint8Array(head.length + added.length + tail.length);
  joined.set(head);
  joined.set(added, head.length);
  joined.set(tail, head.length + added.length);
  return joined;
}
