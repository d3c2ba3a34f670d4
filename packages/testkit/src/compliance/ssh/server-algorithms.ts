import type { Duplex } from "node:stream";

/** The algorithms that a server offers; where directions differ, those toward the client. */
export interface AlgorithmLists {
  readonly kex: readonly string[];
  readonly hostKey: readonly string[];
  readonly cipher: readonly string[];
  readonly mac: readonly string[];
  readonly compression: readonly string[];
}

const keyExchangeInit = 20;
const [lengthBytes, cookieBytes] = [4, 16];

/**
 * Reads the first message of a server after its identification (RFC 4253, 7.1):
 *
 *     uint32 length | uint8 padding length | uint8 20 | cookie (16) | ten lists of names, each: uint32 length, names with commas
 */
export async function readAlgorithms(stream: Duplex, software: string): Promise<AlgorithmLists> {
  stream.write(`SSH-2.0-${software}\r\n`);
  let received = Buffer.alloc(0);
  for await (const chunk of stream) {
    received = Buffer.concat([received, chunk]);
    const payload = payloadIn(received);
    if (payload !== undefined) return parse(payload);
  }
  throw new Error("the server closed the connection");
}

function payloadIn(received: Buffer): Buffer | undefined {
  const start = received.indexOf("\n") + 1;
  if (start === 0 || received.length < start + lengthBytes) return undefined;
  const end = start + lengthBytes + received.readUInt32BE(start);
  return received.length < end ? undefined : received.subarray(start + lengthBytes + 1, end);
}

function parse(payload: Buffer): AlgorithmLists {
  if (payload[0] !== keyExchangeInit) throw new Error(`got message ${payload[0]}, wanted 20`);
  let at = 1 + cookieBytes;
  const next = (): readonly string[] => {
    const start = at + lengthBytes;
    at = start + payload.readUInt32BE(at);
    return payload.toString("ascii", start, at).split(",");
  };
  const [kex, hostKey] = [next(), next()];
  const [, cipher, , mac, , compression] = [next(), next(), next(), next(), next(), next()];
  return { kex, hostKey, cipher: cipher ?? [], mac: mac ?? [], compression: compression ?? [] };
}
