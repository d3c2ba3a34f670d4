import { type KeyObject, verify, X509Certificate } from "node:crypto";

import { errorText } from "@slipway/runtime";

import { awsCertificates } from "./aws-certificates.ts";
import { decodeBase64 } from "./base64.ts";
import { IdentityError } from "./errors.ts";
import { isUsualRsaKey } from "./public-keys.ts";

/** What a machine gets from AWS to show who it is. */
export interface AwsIdentity {
  /** JSON. */
  readonly document: string;
  /** In base64, over the bytes of the document. */
  readonly signature: string;
}

/** Sizes of RSA keys that sign: AWS's have 1,024 bits. */
const keySizes = { minBits: 1_024, maxBits: 4_096 } as const;

/** The RSA keys that may have signed: those that AWS publishes, and those of more certificates. */
export function awsKeys(more: readonly X509Certificate[]): readonly KeyObject[] {
  const published = Object.values(awsCertificates).map(
    (text) => new X509Certificate(Buffer.from(text, "base64")),
  );
  return [...published, ...more]
    .map(({ publicKey }) => publicKey)
    .filter((key) => isUsualRsaKey(key, keySizes));
}

/**
 * The id of the machine that shows this; throws `IdentityError`. Dates are not looked at: AWS signs with expired certificates,
 * and its documents do not say until when they hold (docs/protocol/rest.md §3). Checks a signature with each key of its length.
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
