import type { Connection } from "ssh2";

import { offerCiphers } from "./ssh2.ts";

/** AES-GCM runs in OpenSSL as a whole; ChaCha20-Poly1305, of which ssh2 has a part in WebAssembly, takes twice as long. */
const fastestCiphers = ["aes128-gcm@openssh.com", "aes256-gcm@openssh.com"] as const;

/** The ciphers of clients of which it is not known that they have AES-GCM, the fastest first. */
export const allCiphers = [...fastestCiphers, "aes128-ctr", "aes192-ctr", "aes256-ctr"] as const;

/** The first release of OpenSSH with AES-GCM. */
const firstRelease = [6, 2] as const;

/**
 * Offers OpenSSH's clients AES-GCM alone: the client's order counts (RFC 4253 §7.1), and theirs puts it last. Once one of
 * them is configured not to take it, all are offered everything: a second attempt succeeds.
 */
export class CipherOffer {
  #isGcmTaken = true;

  /** Narrows the offer to a client, before it is sent. */
  begin(client: Connection, software: string): void {
    if (!this.#isGcmTaken || !hasGcm(software)) return;
    offerCiphers(client, fastestCiphers);
    client.on("error", ({ message }) => {
      if (message.includes("cipher")) this.#isGcmTaken = false;
    });
  }
}

function hasGcm(software: string): boolean {
  const [, major, minor] = /^OpenSSH_(\d{1,3})\.(\d{1,3})/.exec(software) ?? [];
  const [firstMajor, firstMinor] = firstRelease;
  const release = Number(major);
  return release > firstMajor || (release === firstMajor && Number(minor) >= firstMinor);
}
