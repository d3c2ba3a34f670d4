/*
 *                    connect                        accept
 *                       |                              |
 *                  +----v-----+   SYN (both at   +-----v--------+
 *                  | syn-sent |--once)---------->| syn-received |
 *                  +----+-----+                  +-----+--------+
 *               SYN+ACK |                              | ACK of our SYN
 *                       +---------> established <------+
 *                        our FIN sent |     | peer's FIN
 *                  +------------------+     +--------------+
 *                  v                                       v
 *            +------------+  peer's FIN  +---------+  +------------+
 *            | fin-wait-1 |------------->| closing |  | close-wait |
 *            +-----+------+              +----+----+  +-----+------+
 *    our FIN acked |                          |             | our FIN sent
 *            +-----v------+     our FIN acked |       +-----v------+
 *            | fin-wait-2 |                   |       |  last-ack  |
 *            +-----+------+                   |       +-----+------+
 *       peer's FIN |                          |             | our FIN acked
 *                  +------> time-wait <-------+             v
 *                              \-------- 60 s -----------> closed
 *
 *  Any state goes to closed at a RST, an abort or a timeout.
 */
/** The state of a connection (RFC 9293 §3.3.2), without LISTEN: a listener belongs to the caller. */
export type TcpState =
  | "syn-sent"
  | "syn-received"
  | "established"
  | "fin-wait-1"
  | "fin-wait-2"
  | "close-wait"
  | "closing"
  | "last-ack"
  | "time-wait"
  | "closed";

/** Returns the state after our FIN was sent. */
export function afterFinSent(state: TcpState): TcpState {
  if (state === "established") return "fin-wait-1";
  return state === "close-wait" ? "last-ack" : state;
}

/** Returns the state after our FIN was acknowledged. */
export function afterFinAcknowledged(state: TcpState): TcpState {
  if (state === "fin-wait-1") return "fin-wait-2";
  if (state === "closing") return "time-wait";
  return state === "last-ack" ? "closed" : state;
}

/** Returns the state after the peer's FIN, and everything before it, was received. */
export function afterPeerFin(state: TcpState): TcpState {
  if (state === "established") return "close-wait";
  if (state === "fin-wait-1") return "closing";
  return state === "fin-wait-2" ? "time-wait" : state;
}
