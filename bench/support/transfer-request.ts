/** The first message of a connection to the transfer service. */
export interface TransferRequest {
  readonly kind: "echo" | "down" | "up";
  readonly seconds: number;
}

/** The block of bytes that is sent repeatedly. */
export const transferBlock: Uint8Array = new Uint8Array(64 * 1024).fill(0x5a);
