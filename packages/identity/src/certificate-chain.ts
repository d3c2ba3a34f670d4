import type { X509Certificate } from "node:crypto";

import type { Certificate } from "./certificate.ts";
import type { SignatureBudget } from "./signature-budget.ts";

export interface ChainContext {
  /** Certificates that are trusted by themselves while they are in force. */
  readonly roots: readonly X509Certificate[];
  /** Certificates from which a chain may be built; a document's sender may have chosen them. */
  readonly intermediates: readonly Certificate[];
  readonly nowMs: number;
  /** The budget from which each link that names its issuer takes one signature check. */
  readonly signatures: SignatureBudget;
}

/** The maximum number of certificates between the first one and a root. */
const maxIntermediates = 6;

/**
 * Reports whether the certificate was issued, directly or through intermediates, by one of the roots, and all of them
 * are in force. Ignores key usages other than certificate signing.
 *
 * Searches breadth-first from the certificate upward and visits each certificate once: if its path length allows any
 * path to it, it allows the shortest.
 */
export function hasTrustedChain(leaf: Certificate, subject: ChainContext): boolean {
  const { roots, intermediates, nowMs } = subject;
  if (!isInForce(leaf.x509, nowMs) || !leaf.isUsable) return false;
  const trusted = roots.filter((root) => isInForce(root, nowMs));
  const unseen = new Set(distinct(intermediates));
  let level = [leaf];
  for (let below = 0; level.length > 0; below += 1) {
    if (level.some((one) => trusted.some((root) => isIssuedBy(one, root, subject)))) return true;
    if (below >= maxIntermediates) return false;
    const next: Certificate[] = [];
    for (const issuer of unseen) {
      if (!mayIssue(issuer, below, nowMs)) continue;
      if (!level.some((one) => isIssuedBy(one, issuer.x509, subject))) continue;
      unseen.delete(issuer);
      next.push(issuer);
    }
    level = next;
  }
  return false;
}

/** Removes duplicate certificates. */
function distinct(certificates: readonly Certificate[]): readonly Certificate[] {
  return [...new Map(certificates.map((one) => [one.x509.fingerprint256, one])).values()];
}

/** Reports whether the issuer may have issued the certificate, with `below` issuers under it. */
function mayIssue(
  { x509, isUsable, pathLength = Infinity }: Certificate,
  below: number,
  nowMs: number,
): boolean {
  return isUsable && x509.ca && isInForce(x509, nowMs) && pathLength >= below;
}

function isIssuedBy(
  { x509 }: Certificate,
  issuer: X509Certificate,
  { signatures }: ChainContext,
): boolean {
  // The certificate names the issuer, which may sign certificates; only then is the signature worth verifying.
  return x509.checkIssued(issuer) && signatures.take() && x509.verify(issuer.publicKey);
}

export function isInForce({ validFromDate, validToDate }: X509Certificate, nowMs: number): boolean {
  return validFromDate.getTime() <= nowMs && nowMs <= validToDate.getTime();
}
