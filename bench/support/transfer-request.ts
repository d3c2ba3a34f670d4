/** The first message of a connection to the service of transfers. */
export interface TransferRequest {
  readonly kind: "echo" | "down" | "up";
  readonly seconds: number;
}

/** The bytes that are sent again and again. */
export const transferBlock: Uint8Array = new Uint8Array(64 * 1024).fill(0x5a);
