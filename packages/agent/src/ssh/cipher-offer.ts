import type { Connection } from "ssh2";

import { offerCiphers } from "./ssh2/ssh2.ts";

/** AES-GCM runs entirely in OpenSSL; ChaCha20-Poly1305, which ssh2 runs partly in WebAssembly, takes twice as long. */
const fastestCiphers = ["aes128-gcm@openssh.com", "aes256-gcm@openssh.com"] as const;

/** The ciphers for clients that may lack AES-GCM, fastest first. */
export const allCiphers = [...fastestCiphers, "aes128-ctr", "aes192-ctr", "aes256-ctr"] as const;

/** The first releases of OpenSSH that have AES-GCM, and that prefer it to AES-CTR. */
const firstWithGcm = [6, 2] as const;
const firstPreferringGcm = [10, 0] as const;

/**
 * Offers OpenSSH clients ciphers of which they choose AES-GCM, since the client's order counts (RFC 4253 §7.1). Newer
 * ones prefer only ChaCha20-Poly1305 to it, which is not offered to them; older ones put AES-GCM last, and are
 * offered nothing else. Once a client's configuration refuses the offer, all clients are offered everything, so that
 * a second attempt succeeds. Waiting for the client's list instead would cost each connection a round trip.
 */
export class CipherOffer {
  #isGcmTaken = true;

  /** Narrows the offer to a client, before it is sent. */
  begin(client: Connection, software: string): void {
    if (!this.#isGcmTaken || !isSince(firstWithGcm, software)) return;
    offerCiphers(client, isSince(firstPreferringGcm, software) ? allCiphers : fastestCiphers);
    client.on("error", ({ message }) => {
      if (message.includes("cipher")) this.#isGcmTaken = false;
    });
  }
}

/** Reports whether a client is OpenSSH, of this release or a later one. */
function isSince([firstMajor, firstMinor]: readonly [number, number], software: string): boolean {
  const [, major, minor] = /^OpenSSH_(\d{1,3})\.(\d{1,3})/.exec(software) ?? [];
  const release = Number(major);
  return release > firstMajor || (release === firstMajor && Number(minor) >= firstMinor);
}
