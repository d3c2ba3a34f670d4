import { X509Certificate } from "node:crypto";
import { rootCertificates } from "node:tls";

import { azureIntermediates } from "./azure-intermediates.ts";
import { decodeBase64 } from "./base64.ts";
import { hasTrustedChain, isInForce } from "./certificate-chain.ts";
import { type Certificate, readCertificate } from "./certificate.ts";
import { isFuture, isPast, parseAzureTime } from "./document-times.ts";
import { IdentityError } from "./errors.ts";
import type { SignatureBudget } from "./signature-budget.ts";
import { readSignedMessage, type SignedMessage } from "./signed-message.ts";

/** Trust anchors for the documents of Azure instances. */
export interface AzureTrust {
  readonly roots: readonly X509Certificate[];
  readonly intermediates: readonly Certificate[];
}

interface AzureNeeds {
  readonly trust: AzureTrust;
  /** Fetches the available certificates at the addresses that a certificate names. */
  readonly fetchIssuers: (urls: readonly string[]) => Promise<readonly Certificate[]>;
  readonly nowMs: number;
  readonly signatures: SignatureBudget;
}

/**
 * Returns the publicly trusted roots and Azure's intermediates, extended with `more`: a self-issued certificate is a
 * root.
 */
export function azureTrust(more: readonly X509Certificate[]): AzureTrust {
  const isRoot = (one: X509Certificate): boolean => one.checkIssued(one);
  const published = Object.values(azureIntermediates).map((text) => Buffer.from(text, "base64"));
  return {
    roots: [...rootCertificates.map((pem) => new X509Certificate(pem)), ...more.filter(isRoot)],
    intermediates: [...published, ...more.filter((one) => !isRoot(one)).map((one) => one.raw)].map(
      readCertificate,
    ),
  };
}

/**
 * Returns the id of the instance with this signed document, in base64. Throws `IdentityError`, always with the same
 * message (docs/protocol/rest.md §3, whose rules the functions below cite).
 */
export async function verifyAzureIdentity(signature: string, needs: AzureNeeds): Promise<string> {
  try {
    const bytes = decodeBase64(signature);
    if (bytes === undefined) throw new Error("found no base64");
    const check = (signer: Certificate): void => checkSigner(signer, needs.nowMs);
    const message = readSignedMessage(bytes, check, needs.signatures);
    if (!(await isTrusted(message, needs)))
      throw new Error("found a signer without a trusted chain");
    return readVmId(message.content, needs.nowMs);
  } catch (error) {
    throw new IdentityError("Signature verification failed.", { cause: error });
  }
}

const signerName = /^(.*\.)?metadata\.(azure\.(com|us|cn)|microsoftazure\.de)$/;

/** Checks rule 1, and for faults that no other certificate could fix. */
function checkSigner(
  { x509, commonNames: [name = "", ...others] }: Certificate,
  nowMs: number,
): void {
  if (others.length > 0 || !signerName.test(name)) {
    throw new Error("found a signer that is not the metadata service");
  }
  if (!isInForce(x509, nowMs)) throw new Error("found a signer whose certificate is not in force");
}

/** Checks rules 3 and 4. */
async function isTrusted(
  { signer, certificates }: SignedMessage,
  { trust: { roots, intermediates }, fetchIssuers, nowMs, signatures }: AzureNeeds,
): Promise<boolean> {
  // Azure's own come first: presented certificates may be anything.
  const known = [...intermediates, ...certificates];
  if (hasTrustedChain(signer, { roots, intermediates: known, nowMs, signatures })) return true;
  const fetched = await fetchIssuers(signer.issuerUrls);
  if (fetched.length === 0) return false;
  const all = [...fetched, ...known];
  return hasTrustedChain(signer, { roots, intermediates: all, nowMs, signatures });
}

/** Checks rule 5, and that the document has not expired if it has an expiry time. */
function readVmId(content: Buffer, nowMs: number): string {
  const value: unknown = JSON.parse(content.toString());
  const id = fieldOf(value, "vmId");
  if (typeof id !== "string") throw new Error("found no text vmId");
  const times = fieldOf(value, "timeStamp");
  const createdMs = timeOf(times, "createdOn");
  const expiresMs = timeOf(times, "expiresOn");
  if (createdMs !== undefined && isFuture(createdMs, nowMs)) {
    throw new Error("found a document created in the future");
  }
  if (expiresMs !== undefined && isPast(expiresMs, nowMs)) {
    throw new Error("found a document that has expired");
  }
  return id;
}

function timeOf(times: unknown, name: string): number | undefined {
  const value = fieldOf(times, name);
  if (value === undefined) return undefined;
  const time = typeof value === "string" ? parseAzureTime(value) : undefined;
  if (time === undefined) throw new Error(`found no time in ${name}`);
  return time;
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}
