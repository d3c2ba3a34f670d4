import { readUint32, writeUint32 } from "../bytes/integers.ts";
import { joinBytes } from "../bytes/join.ts";
import { encodeUtf8, parseUtf8Lenient } from "../bytes/utf8.ts";
import { DrpcError } from "./errors.ts";

/*
 *   +----------------------+------------+
 *   | code, 8 bytes BE     | UTF-8 text |   data of an Error packet (docs/protocol/rpc.md §3.1)
 *   +----------------------+------------+
 */
const codeBytes = 8;

/**
 * The code after which stock peers no longer call an RPC; the only one in use besides 0 (docs/protocol/rpc.md §3.5,
 * §3.6).
 */
export const drpcCodeUnimplemented = 12;

/** The failure of a call on the other side. */
export interface RpcError {
  /** Inexact above 2^53 - 1. */
  readonly code: number;
  readonly message: string;
}

/** Encodes an error; `code` must be a safe non-negative integer. */
export function encodeRpcError(error: RpcError): Uint8Array {
  const code = new Uint8Array(codeBytes);
  writeUint32(code, 0, Math.floor(error.code / 0x1_0000_0000));
  writeUint32(code, 4, error.code % 0x1_0000_0000);
  return joinBytes([code, encodeUtf8(error.message)]);
}

/** Parses an error. Throws `DrpcError` "malformed-frame" for less than 8 bytes. */
export function parseRpcError(data: Uint8Array): RpcError {
  if (data.length < codeBytes) {
    throw new DrpcError(
      "malformed-frame",
      `error packet of ${String(data.length)} bytes, wanted at least ${String(codeBytes)}`,
    );
  }
  return {
    code: readUint32(data, 0) * 0x1_0000_0000 + readUint32(data, 4),
    // The text is for people: if it is cut inside a character, the rest is still useful.
    message: parseUtf8Lenient(data.subarray(codeBytes)),
  };
}
