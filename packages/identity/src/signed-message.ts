import { createHash, verify } from "node:crypto";

import {
  type Attribute,
  Certificate as ParsedCertificate,
  ContentInfo,
  IssuerAndSerialNumber,
  SignedData,
  type SignerInfo,
} from "pkijs";

import { type Certificate, certificateOf } from "./certificate.ts";
import { requireModestDer } from "./der-shape.ts";
import type { SignatureBudget } from "./signature-budget.ts";

/** PKCS #7 signed data with embedded content and a valid signature (RFC 5652). */
export interface SignedMessage {
  readonly content: Buffer;
  readonly signer: Certificate;
  /** All certificates in the envelope, including the signer's. */
  readonly certificates: readonly Certificate[];
}

const oids = {
  data: "1.2.840.113549.1.7.1",
  signedData: "1.2.840.113549.1.7.2",
  contentType: "1.2.840.113549.1.9.3",
  messageDigest: "1.2.840.113549.1.9.4",
  signingTime: "1.2.840.113549.1.9.5",
} as const;

/** SHA-2, as a digest and as part of a signature algorithm, which Azure names where a digest is expected. */
const hashes: Readonly<Record<string, string>> = {
  "2.16.840.1.101.3.4.2.1": "sha256",
  "2.16.840.1.101.3.4.2.2": "sha384",
  "2.16.840.1.101.3.4.2.3": "sha512",
  "1.2.840.113549.1.1.11": "sha256",
  "1.2.840.113549.1.1.12": "sha384",
  "1.2.840.113549.1.1.13": "sha512",
  "1.2.840.10045.4.3.2": "sha256",
  "1.2.840.10045.4.3.3": "sha384",
  "1.2.840.10045.4.3.4": "sha512",
};

/**
 * Parses a message with one signer, and checks the signature once `checkSigner` has accepted the signer; throws an
 * unspecified error if any of that fails.
 */
export function readSignedMessage(
  der: Uint8Array,
  checkSigner: (signer: Certificate) => void,
  signatures: SignatureBudget,
): SignedMessage {
  requireModestDer(der);
  const envelope = ContentInfo.fromBER(new Uint8Array(der));
  if (envelope.contentType !== oids.signedData) throw new Error("found no signed data");
  const data = new SignedData({ schema: envelope.content });
  const [info, ...others] = data.signerInfos;
  if (info === undefined || others.length > 0) {
    throw new Error(`found ${data.signerInfos.length} signers, wanted one`);
  }
  const { eContentType, eContent } = data.encapContentInfo;
  if (eContentType !== oids.data || eContent === undefined) throw new Error("found no content");
  const content = Buffer.from(eContent.getValue());
  const parsed = (data.certificates ?? []).filter((one) => one instanceof ParsedCertificate);
  const own = parsed.find((one) => isNamedBy(one, info));
  if (own === undefined) throw new Error("found no certificate of the signer");
  const signer = certificateOf(own);
  checkSigner(signer);
  checkSignature(content, info, signer, signatures);
  return { content, signer, certificates: parsed.map((one) => certificateOf(one)) };
}

function isNamedBy({ issuer, serialNumber }: ParsedCertificate, { sid }: SignerInfo): boolean {
  return (
    sid instanceof IssuerAndSerialNumber &&
    sid.issuer.isEqual(issuer) &&
    sid.serialNumber.isEqual(serialNumber)
  );
}

function checkSignature(
  content: Buffer,
  info: SignerInfo,
  signer: Certificate,
  signatures: SignatureBudget,
): void {
  const { digestAlgorithm, signatureAlgorithm, signedAttrs } = info;
  const digestHash = hashes[digestAlgorithm.algorithmId];
  const hash = hashes[signatureAlgorithm.algorithmId] ?? digestHash;
  if (digestHash === undefined || hash === undefined) throw new Error("found no SHA-2");
  if (!signer.isUsable) throw new Error("found a certificate that cannot be used");
  if (signedAttrs !== undefined)
    checkAttributes(content, signedAttrs.attributes, digestHash, signer);
  const signed = signedAttrs === undefined ? content : Buffer.from(signedAttrs.encodedValue);
  const signature = Buffer.from(info.signature.getValue());
  if (!signatures.take() || !verify(hash, signed, signer.publicKey, signature))
    throw new Error("found an invalid signature");
}

/** Checks the attributes, which are signed and describe the content if they are present (RFC 5652, section 5.4). */
function checkAttributes(
  content: Buffer,
  attributes: readonly Attribute[],
  hash: string,
  { x509 }: Certificate,
): void {
  const type = onlyValue(attributes, oids.contentType);
  if (type?.valueBlock.toString() !== oids.data) throw new Error("found no type of content");
  const digest = onlyValue(attributes, oids.messageDigest)?.valueBlock.valueHexView;
  if (
    !(digest instanceof Uint8Array) ||
    !createHash(hash).update(content).digest().equals(digest)
  ) {
    throw new Error("found the digest of something else");
  }
  const time = onlyValue(attributes, oids.signingTime);
  if (time === undefined) return;
  const at: unknown = time.toDate();
  if (!(at instanceof Date) || !(x509.validFromDate <= at && at <= x509.validToDate)) {
    throw new Error("found a time of signing at which the certificate is not in force");
  }
}

/** Returns the value of an attribute; undefined if there is none; throws if there are several. */
function onlyValue(attributes: readonly Attribute[], type: string): Attribute["values"][number] {
  const values = attributes.filter((one) => one.type === type).flatMap((one) => one.values);
  if (values.length > 1) throw new Error(`found ${values.length} values of the attribute ${type}`);
  return values[0];
}
