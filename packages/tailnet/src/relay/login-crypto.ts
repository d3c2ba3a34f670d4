import type { TailnetCrypto } from "../crypto/crypto.ts";

/** The cryptography of a login (docs/protocol/tailnet.md §4.4). */
export type LoginCrypto = Pick<TailnetCrypto, "randomBytes" | "boxKey" | "sealBox" | "openBox">;

/** The node key, which identifies a client to a relay; 32 bytes each. */
export interface RelayIdentity {
  readonly publicKey: Uint8Array;
  readonly privateKey: Uint8Array;
}
