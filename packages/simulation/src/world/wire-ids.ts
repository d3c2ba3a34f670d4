import { encodeUuid, parseUuid } from "@slipway/wire/bytes/uuid";

/** Returns the UUID form of an id such as `a12`, as agents expect it. */
export function toWireId(id: string): Uint8Array {
  const kind = id.charCodeAt(0).toString(16).padStart(8, "0");
  return encodeUuid(`${kind}-0000-4000-8000-${id.slice(1).padStart(12, "0")}`);
}

/** Converts a UUID back, from its text or its bytes. */
export function fromWireId(wire: string | Uint8Array): string {
  const uuid = typeof wire === "string" ? wire : parseUuid(wire);
  return String.fromCharCode(Number.parseInt(uuid.slice(0, 8), 16)) + Number(uuid.slice(24));
}
