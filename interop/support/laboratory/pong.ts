/** The path of the answer to a ping, or that none came in time. */
export type Pong =
  | { readonly way: "direct"; readonly address: string }
  | { readonly way: "relay" }
  | { readonly way: "none" };

export const pingEveryMs = 500;
export const pingTimeoutMs = 2_000;
