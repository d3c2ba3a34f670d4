import { BytesError } from "../bytes/errors.ts";
import { joinBytes } from "../bytes/join.ts";
import { encodeUtf8, parseUtf8 } from "../bytes/utf8.ts";
import { appendVarint, parseVarint } from "../bytes/varint.ts";
import { DrpcError } from "./errors.ts";

/*
 *   0a <length> ( 0a <length> key  12 <length> value )     repeated, one for each entry   (docs/protocol/rpc.md §3.4)
 */
const entryTag = 0x0a;
const keyTag = 0x0a;
const valueTag = 0x12;

/**
 * The largest metadata of a call, in bytes: a peer may send metadata on every stream without ever invoking anything.
 */
const maxMetadataBytes = 16 * 1024;

/** Keys and values sent before an Invoke; stock peers send none. */
export type DrpcMetadata = ReadonlyMap<string, string>;

export function encodeMetadata(metadata: DrpcMetadata): Uint8Array {
  const entries = [...metadata].map(([key, value]) =>
    encodeField(
      entryTag,
      joinBytes([encodeField(keyTag, encodeUtf8(key)), encodeField(valueTag, encodeUtf8(value))]),
    ),
  );
  return joinBytes(entries);
}

/**
 * Parses metadata. The last of equal keys counts; a missing key or value is empty. Throws `DrpcError`
 * "malformed-metadata".
 */
export function parseMetadata(bytes: Uint8Array): DrpcMetadata {
  if (bytes.length > maxMetadataBytes) {
    throw malformed(`${String(bytes.length)} bytes, at most ${String(maxMetadataBytes)} allowed`);
  }
  const metadata = new Map<string, string>();
  try {
    for (const [tag, entry] of fields(bytes)) {
      if (tag !== entryTag) throw malformed(`field ${String(tag)}, wanted ${String(entryTag)}`);
      let key = "";
      let value = "";
      for (const [entryFieldTag, text] of fields(entry)) {
        if (entryFieldTag === keyTag) key = parseUtf8(text);
        else if (entryFieldTag === valueTag) value = parseUtf8(text);
        else throw malformed(`field ${String(entryFieldTag)} in an entry`);
      }
      metadata.set(key, value);
    }
  } catch (error) {
    if (!(error instanceof BytesError)) throw error;
    throw malformed(error.message, { cause: error });
  }
  return metadata;
}

function encodeField(tag: number, data: Uint8Array): Uint8Array {
  const head = [tag];
  appendVarint(head, data.length);
  return joinBytes([Uint8Array.from(head), data]);
}

function* fields(bytes: Uint8Array): Generator<readonly [number, Uint8Array], void, undefined> {
  let at = 0;
  for (let tag = bytes[at]; tag !== undefined; tag = bytes[at]) {
    const length = parseVarint(bytes, at + 1);
    if (length === undefined) throw malformed("ends in a length");
    const end = length.next + length.value;
    if (end > bytes.length) {
      throw malformed(
        `field of ${String(length.value)} bytes, ${String(bytes.length - length.next)} left`,
      );
    }
    yield [tag, bytes.subarray(length.next, end)];
    at = end;
  }
}

function malformed(what: string, options?: ErrorOptions): DrpcError {
  return new DrpcError("malformed-metadata", `metadata: ${what}`, options);
}
