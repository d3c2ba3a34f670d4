import type { AcceptedConnection } from "./accepted-connection.ts";

/** The time that a peer has to take what was written, and to end its side. */
const lingerMs = 10_000;

/** Ends a connection after what was written. A peer that does not end its side is cut off after a while. */
export function endConnection(connection: AcceptedConnection): void {
  if (connection.destroyed) return;
  connection.end();
  connection.resume();
  const late = setTimeout(() => connection.destroy(), lingerMs);
  late.unref();
  connection.once("close", () => clearTimeout(late));
}
