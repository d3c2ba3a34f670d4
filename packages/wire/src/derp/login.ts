import { BytesError } from "../bytes/errors.ts";
import { encodeUtf8, parseUtf8 } from "../bytes/utf8.ts";
import { DerpError } from "./errors.ts";

/** The version of the protocol that both ends send. */
const version = 2;

/** The contents of a client's login (docs/protocol/tailnet.md §4.4); neither end checks the version. */
export interface ClientInfo {
  /** The secret shared by the relays of one mesh; empty for other clients. */
  readonly meshKey: string;
  readonly canAckPings: boolean;
}

/** The limits that a server asks its clients to keep, each absent if unlimited. */
export interface ServerInfo {
  readonly bytesPerSecond: number | undefined;
  readonly burstBytes: number | undefined;
}

/** Parses the JSON in a client's box. Throws `DerpError` "malformed-login". */
export function parseClientInfo(json: Uint8Array): ClientInfo {
  const fields = parseObject(json);
  const meshKey = fields["meshKey"] ?? "";
  const canAckPings = fields["CanAckPings"] ?? false;
  if (typeof meshKey !== "string" || typeof canAckPings !== "boolean") {
    throw new DerpError("malformed-login", "a field of the client's login has the wrong type");
  }
  return { meshKey, canAckPings };
}

export function encodeClientInfo({ meshKey, canAckPings }: ClientInfo): Uint8Array {
  const mesh = meshKey === "" ? {} : { meshKey };
  return encodeUtf8(JSON.stringify({ version, ...mesh, CanAckPings: canAckPings }));
}

/** Parses the JSON in a server's box. Throws `DerpError` "malformed-login". */
export function parseServerInfo(json: Uint8Array): ServerInfo {
  const fields = parseObject(json);
  return {
    bytesPerSecond: parseLimit(fields["TokenBucketBytesPerSecond"]),
    burstBytes: parseLimit(fields["TokenBucketBytesBurst"]),
  };
}

export function encodeServerInfo({ bytesPerSecond, burstBytes }: ServerInfo): Uint8Array {
  const limits = {
    TokenBucketBytesPerSecond: bytesPerSecond,
    TokenBucketBytesBurst: burstBytes,
  };
  return encodeUtf8(JSON.stringify({ version, ...limits }));
}

function parseLimit(value: unknown): number | undefined {
  if (value === undefined || value === 0) return undefined;
  if (typeof value === "number" && Number.isSafeInteger(value) && value > 0) return value;
  throw new DerpError("malformed-login", "a limit of the server is not a positive integer");
}

function parseObject(json: Uint8Array): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(parseUtf8(json));
    if (typeof value === "object" && value !== null) return { ...value };
  } catch (error) {
    if (!(error instanceof SyntaxError || error instanceof BytesError)) throw error;
    throw new DerpError("malformed-login", "the login is not JSON", { cause: error });
  }
  throw new DerpError("malformed-login", "the login is not a JSON object");
}
