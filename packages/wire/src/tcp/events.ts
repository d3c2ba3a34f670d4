import type { TcpError } from "./errors.ts";

/** An event on a connection. Each connection ends with exactly one `closed`, after which there are no others. */
export type TcpEvent =
  /** The handshake is done: data may be written. */
  | { readonly type: "connected" }
  /** More bytes can be read than before. */
  | { readonly type: "readable" }
  /** The peer's FIN: what can be read is the last of it. */
  | { readonly type: "finished" }
  /** After a write was cut short: at most half of the room is in use. */
  | { readonly type: "writable" }
  /** The connection is over: both ends have finished it, or it failed. It may yet answer segments for a while. */
  | { readonly type: "closed"; readonly error: TcpError | undefined };
