/** An event on a session. Each stream ends with exactly one `closed`, unless the whole session dies. */
export type YamuxEvent =
  /** The peer opened a stream; it is answered by itself. */
  | { readonly type: "opened"; readonly streamId: number }
  /** The peer took our stream. A stream that it ends at once it never takes. */
  | { readonly type: "accepted"; readonly streamId: number }
  /** A view of the received chunk: copy what outlives it. Give the credit back by `consume`. */
  | { readonly type: "data"; readonly streamId: number; readonly bytes: Uint8Array }
  /** The peer's FIN: no more data from it. */
  | { readonly type: "finished"; readonly streamId: number }
  /** The stream was cut off, by the peer or because it did not end in time; `closed` follows. */
  | { readonly type: "reset"; readonly streamId: number }
  /** Both directions are over and the id is forgotten. */
  | { readonly type: "closed"; readonly streamId: number }
  /** After a write was refused for lack of room: at most half of the queue is used now. */
  | { readonly type: "writable"; readonly streamId: number }
  /** The answer to `ping`, by its id. */
  | { readonly type: "pong"; readonly id: number }
  /** The peer takes no more streams (code 0). */
  | { readonly type: "go-away"; readonly code: number };
