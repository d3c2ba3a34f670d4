/** Returns the bytes of an event. */
export function bytesOf([first]: readonly unknown[]): Buffer {
  if (first instanceof Uint8Array) return Buffer.from(first);
  throw new Error("the event has no bytes");
}
