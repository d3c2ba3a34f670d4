import type { AcceptedConnection } from "./accepted-connection.ts";

/** The time in which a peer must take some of what was written, and end its side once it has taken all. */
const lingerMs = 60_000;

/** Ends a connection after what was written. A peer that takes nothing more of that, or does not end its side, is cut off. */
export function endConnection(connection: AcceptedConnection): void {
  if (connection.destroyed) return;
  connection.end();
  connection.resume();
  let left = connection.writableLength;
  const look = setInterval(() => {
    const isSlow = connection.writableLength < left;
    left = connection.writableLength;
    if (!isSlow) connection.destroy();
  }, lingerMs);
  look.unref();
  connection.once("close", () => clearInterval(look));
}
