import { type KeyObject, verify, X509Certificate } from "node:crypto";

import { errorText } from "@slipway/runtime";

import { awsCertificates } from "./aws-certificates.ts";
import { decodeBase64 } from "./base64.ts";
import { IdentityError } from "./errors.ts";
import { isUsualRsaKey } from "./public-keys.ts";

/** The identity document of an AWS instance with its signature. */
export interface AwsIdentity {
  /** The document as JSON. */
  readonly document: string;
  /** The signature of the document's bytes, in base64. */
  readonly signature: string;
}

/** The sizes of signing RSA keys: AWS's have 1,024 bits. */
const keySizes = { minBits: 1_024, maxBits: 4_096 } as const;

/** Returns the RSA keys that may have signed: AWS's published ones and those of additional certificates. */
export function awsKeys(more: readonly X509Certificate[]): readonly KeyObject[] {
  const published = Object.values(awsCertificates).map(
    (text) => new X509Certificate(Buffer.from(text, "base64")),
  );
  return [...published, ...more]
    .map(({ publicKey }) => publicKey)
    .filter((key) => isUsualRsaKey(key, keySizes));
}

/**
 * Returns the id of the instance that presents this document; throws `IdentityError`. Ignores dates: AWS signs with
 * expired certificates, and its documents have no expiry time (docs/protocol/rest.md §3). Checks a signature with
 * each key of its length.
 */
export function verifyAwsIdentity(
  { document, signature }: AwsIdentity,
  keys: readonly KeyObject[],
): string {
  const instanceId = readInstanceId(document);
  const bytes = decodeBase64(signature);
  if (bytes === undefined) throw new IdentityError("decode signature: found no base64");
  const signed = Buffer.from(document);
  const fitting = keys.filter((key) => signatureBytes(key) === bytes.length);
  if (fitting.some((key) => verify("sha256", signed, key, bytes))) return instanceId;
  throw new IdentityError("crypto/rsa: verification error");
}

function signatureBytes({ asymmetricKeyDetails }: KeyObject): number {
  return Math.ceil((asymmetricKeyDetails?.modulusLength ?? 0) / 8);
}

function readInstanceId(document: string): string {
  let value: unknown;
  try {
    value = JSON.parse(document);
  } catch (error) {
    throw new IdentityError(`parse document: ${errorText(error)}`, { cause: error });
  }
  const id: unknown =
    typeof value === "object" && value !== null ? Reflect.get(value, "instanceId") : undefined;
  if (typeof id === "string") return id;
  throw new IdentityError("parse document: found no text instanceId");
}
