import type { X509Certificate } from "node:crypto";

import type { Certificate } from "./certificate.ts";
import type { SignatureBudget } from "./signature-budget.ts";

export interface ChainSubject {
  /** Believed as they are, while they are in force. */
  readonly roots: readonly X509Certificate[];
  /** Of which a chain may be made; whoever shows something may have chosen them. */
  readonly intermediates: readonly Certificate[];
  readonly nowMs: number;
  /** One signature is checked for each link that names its issuer. */
  readonly signatures: SignatureBudget;
}

/** Most certificates between the first one and a root. */
const maxIntermediates = 6;

/**
 * Whether the certificate was issued, over any number of others, by one of the roots, and all of them are in force. Usages of
 * keys other than to sign certificates do not matter.
 *
 * Goes from the certificate upwards, all issuers at one distance before those at the next, and to each certificate once: the
 * shortest way to it is the one that its path length allows if any does.
 */
export function hasTrustedChain(leaf: Certificate, subject: ChainSubject): boolean {
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

/** Of certificates that are shown several times, one. */
function distinct(certificates: readonly Certificate[]): readonly Certificate[] {
  return [...new Map(certificates.map((one) => [one.x509.fingerprint256, one])).values()];
}

/** `below` is the number of issuers under it. */
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
  { signatures }: ChainSubject,
): boolean {
  // It names the issuer, who may sign certificates; only then is the signature worth the time.
  return x509.checkIssued(issuer) && signatures.take() && x509.verify(issuer.publicKey);
}

export function isInForce({ validFromDate, validToDate }: X509Certificate, nowMs: number): boolean {
  return validFromDate.getTime() <= nowMs && nowMs <= validToDate.getTime();
}
