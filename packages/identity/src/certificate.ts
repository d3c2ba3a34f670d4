import { type KeyObject, X509Certificate } from "node:crypto";

import {
  BasicConstraints,
  Certificate as ParsedCertificate,
  type Extension,
  InfoAccess,
} from "pkijs";

import { isUsualKey } from "./public-keys.ts";

/** The parts of a certificate that matter to chains, and its URLs. */
export interface Certificate {
  readonly x509: X509Certificate;
  readonly publicKey: KeyObject;
  readonly commonNames: readonly string[];
  /** The URLs of its issuer's certificate, as stated in the certificate. */
  readonly issuerUrls: readonly string[];
  /** The maximum number of other issuers below it; undefined for no limit. */
  readonly pathLength: number | undefined;
  /** True if its signature algorithm is secure, its key type is in use, and it has no unknown critical extensions. */
  readonly isUsable: boolean;
}

const commonName = "2.5.4.3";
const basicConstraints = "2.5.29.19";
const authorityInfoAccess = "1.3.6.1.5.5.7.1.1";
const caIssuers = "1.3.6.1.5.5.7.48.2";
const uriName = 6;

/** RSA and ECDSA with SHA-2. */
const strongSignatures: ReadonlySet<string> = new Set([
  "1.2.840.113549.1.1.11",
  "1.2.840.113549.1.1.12",
  "1.2.840.113549.1.1.13",
  "1.2.840.10045.4.3.2",
  "1.2.840.10045.4.3.3",
  "1.2.840.10045.4.3.4",
]);

/**
 * Extensions that may be critical: key usages and basic constraints, which are checked; alternative names, extended
 * key usages and policies, which are all accepted. Name constraints are missing here: a certificate with them is not
 * trusted.
 */
const knownExtensions: ReadonlySet<string> = new Set([
  "2.5.29.15",
  "2.5.29.17",
  basicConstraints,
  "2.5.29.32",
  "2.5.29.37",
]);
/** An extension that is refused whether critical or not. */
const nameConstraints = "2.5.29.30";

/** Parses DER; throws an unspecified error if it is not a certificate. */
export function readCertificate(der: Uint8Array): Certificate {
  return certificateOf(ParsedCertificate.fromBER(new Uint8Array(der)), der);
}

/** Converts a certificate that is already parsed. */
export function certificateOf(
  parsed: ParsedCertificate,
  der: Uint8Array = new Uint8Array(parsed.toSchema().toBER()),
): Certificate {
  const x509 = new X509Certificate(der);
  const { publicKey } = x509;
  const extensions = parsed.extensions ?? [];
  const pathLength = readPathLength(extensions);
  return {
    x509,
    publicKey,
    commonNames: parsed.subject.typesAndValues
      .filter(({ type }) => type === commonName)
      .map(({ value }) => value.valueBlock.value),
    issuerUrls: extensions.flatMap(readIssuerUrls),
    pathLength: typeof pathLength === "number" ? pathLength : undefined,
    isUsable:
      strongSignatures.has(parsed.signatureAlgorithm.algorithmId) &&
      isUsualKey(publicKey) &&
      pathLength !== "unreadable" &&
      extensions.every(
        ({ critical, extnID }) =>
          extnID !== nameConstraints && (!critical || knownExtensions.has(extnID)),
      ),
  };
}

function readPathLength(extensions: readonly Extension[]): number | "none" | "unreadable" {
  const extension = extensions.find(({ extnID }) => extnID === basicConstraints);
  if (extension === undefined) return "none";
  const value: unknown = extension.parsedValue;
  if (!(value instanceof BasicConstraints)) return "unreadable";
  const { pathLenConstraint: length } = value;
  if (length === undefined) return "none";
  return typeof length === "number" ? length : "unreadable";
}

function readIssuerUrls({ extnID, parsedValue }: Extension): readonly string[] {
  if (extnID !== authorityInfoAccess || !(parsedValue instanceof InfoAccess)) return [];
  return parsedValue.accessDescriptions
    .filter(
      ({ accessMethod, accessLocation: { type } }) =>
        accessMethod === caIssuers && type === uriName,
    )
    .map(({ accessLocation }) => String(accessLocation.value));
}
