import type { X509Certificate } from "node:crypto";

import type { Certificate } from "./certificate.ts";

export interface ChainSubject {
  /** Believed as they are, while they are in force. */
  readonly roots: readonly X509Certificate[];
  /** Of which a chain may be made; whoever shows something may have chosen them. */
  readonly intermediates: readonly Certificate[];
  readonly nowMs: number;
}

/** Most certificates between the first one and a root. */
const maxIntermediates = 6;
/** Most signatures of certificates that are checked for one chain. */
const maxChecks = 48;

/**
 * Whether the certificate was issued, over any number of others, by one of the roots, and all of them are in force. Usages of
 * keys other than to sign certificates do not matter.
 */
export function hasTrustedChain(leaf: Certificate, subject: ChainSubject): boolean {
  return (
    isInForce(leaf.x509, subject.nowMs) && leaf.isUsable && new Search(subject).reaches(leaf, [])
  );
}

/** Looks for a chain depth first, within `maxChecks`, and for no certificate twice on the same way. */
class Search {
  readonly #subject: ChainSubject;
  #checksLeft = maxChecks;

  constructor(subject: ChainSubject) {
    this.#subject = subject;
  }

  /** `below` are the issuers from the first one up to this one. */
  reaches(certificate: Certificate, below: readonly Certificate[]): boolean {
    const { roots, intermediates, nowMs } = this.#subject;
    const issuedBy = (issuer: X509Certificate): boolean => this.#isIssuedBy(certificate, issuer);
    if (roots.some((root) => isInForce(root, nowMs) && issuedBy(root))) return true;
    if (below.length >= maxIntermediates) return false;
    return intermediates.some((issuer) => {
      const { x509, isUsable, pathLength = Infinity } = issuer;
      if (!isUsable || !x509.ca || !isInForce(x509, nowMs) || pathLength < below.length)
        return false;
      if (below.some((one) => one.x509.raw.equals(x509.raw))) return false;
      return issuedBy(x509) && this.reaches(issuer, [...below, issuer]);
    });
  }

  #isIssuedBy({ x509 }: Certificate, issuer: X509Certificate): boolean {
    // It names the issuer, who may sign certificates; only then is the signature worth the time.
    if (!x509.checkIssued(issuer) || this.#checksLeft === 0) return false;
    this.#checksLeft -= 1;
    return x509.verify(issuer.publicKey);
  }
}

export function isInForce({ validFromDate, validToDate }: X509Certificate, nowMs: number): boolean {
  return validFromDate.getTime() <= nowMs && nowMs <= validToDate.getTime();
}
