import { createHash, KeyObject, sign, webcrypto } from "node:crypto";

import * as asn1 from "asn1js";
import * as pki from "pkijs";

/** A certificate with its key. */
export interface IssuedCertificate {
  readonly der: Buffer;
  readonly pem: string;
  readonly parsed: pki.Certificate;
  readonly keys: webcrypto.CryptoKeyPair;
}

export interface CertificateParts {
  readonly name: string;
  /** The issuer (default: itself). */
  readonly issuer?: IssuedCertificate;
  /** True if it may issue other certificates. */
  readonly isAuthority?: boolean;
  readonly pathLength?: number;
  readonly from?: Date;
  readonly to?: Date;
  readonly issuerUrls?: readonly string[];
  /** The IPv4 address of a server. */
  readonly address?: string;
  /** Additional extensions by id, each with a meaningless value. */
  readonly extensions?: readonly { readonly id: string; readonly critical: boolean }[];
  readonly hash?: "SHA-1" | "SHA-256";
  /** The key (default: a new one). */
  readonly keys?: webcrypto.CryptoKeyPair;
  /** The kind of key: RSA, like Azure's signers, or ECDSA. */
  readonly kind?: "rsa" | "ec";
}

let serial = 1;

/** Issues a certificate. */
export async function issue({
  name,
  issuer,
  isAuthority = false,
  pathLength,
  from = new Date("2026-01-01T00:00:00Z"),
  to = new Date("2046-01-01T00:00:00Z"),
  issuerUrls = [],
  address,
  extensions = [],
  hash = "SHA-256",
  kind = "ec",
  keys,
}: CertificateParts): Promise<IssuedCertificate> {
  const pair = keys ?? (await makeKeys(kind));
  const certificate = new pki.Certificate();
  certificate.version = 2;
  certificate.serialNumber = new asn1.Integer({ value: (serial += 1) });
  certificate.subject.typesAndValues.push(commonName(name));
  certificate.issuer = issuer?.parsed.subject ?? certificate.subject;
  certificate.notBefore.value = from;
  certificate.notAfter.value = to;
  await certificate.subjectPublicKeyInfo.importKey(pair.publicKey);
  certificate.extensions = [
    ...(isAuthority ? authorityExtensions(pathLength) : []),
    ...(issuerUrls.length > 0 ? [accessExtension(issuerUrls)] : []),
    ...(address === undefined ? [] : [addressExtension(address)]),
    ...extensions.map(({ id, critical }) => {
      return extension(id, critical, new asn1.OctetString({ valueHex: new ArrayBuffer(4) }));
    }),
  ];
  await certificate.sign(issuer?.keys.privateKey ?? pair.privateKey, hash);
  const der = Buffer.from(certificate.toSchema(true).toBER());
  const lines = der.toString("base64").replaceAll(/.{64}/g, "$&\n").trimEnd();
  const pem = `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
  return { der, pem, parsed: pki.Certificate.fromBER(new Uint8Array(der)), keys: pair };
}

/** Generates keys for a certificate; RSA keys take a while. */
export async function makeKeys(kind: "rsa" | "ec"): Promise<webcrypto.CryptoKeyPair> {
  const publicExponent = new Uint8Array([1, 0, 1]);
  return webcrypto.subtle.generateKey(
    kind === "ec"
      ? { name: "ECDSA", namedCurve: "P-256" }
      : { name: "RSASSA-PKCS1-v1_5", modulusLength: 2048, publicExponent, hash: "SHA-256" },
    true,
    ["sign", "verify"],
  );
}

const oids = {
  data: "1.2.840.113549.1.7.1",
  signedData: "1.2.840.113549.1.7.2",
  contentType: "1.2.840.113549.1.9.3",
  messageDigest: "1.2.840.113549.1.9.4",
  signingTime: "1.2.840.113549.1.9.5",
  /** SHA-256 with RSA, which Azure also uses to name the digest. */
  sha256WithRsa: "1.2.840.113549.1.1.11",
  rsa: "1.2.840.113549.1.1.1",
} as const;

export interface MessageParts {
  readonly signer: IssuedCertificate;
  /** The certificates (default: the signer's own). */
  readonly certificates?: readonly IssuedCertificate[];
  /** The number of signers. */
  readonly signers?: number;
  readonly contentType?: string;
  readonly digestOid?: string;
  readonly signatureOid?: string;
  /** The attributes, if any (default of `digestOf`: the content). */
  readonly attributes?: { readonly signedAt?: Date; readonly digestOf?: string };
}

/** Creates PKCS #7 signed data in base64, like Azure's by default. */
export function signMessage(
  content: string,
  {
    signer,
    certificates = [signer],
    signers = 1,
    contentType = oids.data,
    digestOid = oids.sha256WithRsa,
    signatureOid = oids.rsa,
    attributes,
  }: MessageParts,
): string {
  const signed = attributes && signedAttributes(content, contentType, attributes);
  const bytes = signed === undefined ? Buffer.from(content) : asSet(signed);
  const signature = sign("sha256", bytes, KeyObject.from(signer.keys.privateKey));
  const info = new pki.SignerInfo({
    version: 1,
    sid: new pki.IssuerAndSerialNumber({
      issuer: signer.parsed.issuer,
      serialNumber: signer.parsed.serialNumber,
    }),
    digestAlgorithm: algorithm(digestOid),
    ...(signed === undefined ? {} : { signedAttrs: signed }),
    signatureAlgorithm: algorithm(signatureOid),
    signature: new asn1.OctetString({ valueHex: new Uint8Array(signature).buffer }),
  });
  const data = new pki.SignedData({
    version: 1,
    digestAlgorithms: [algorithm(digestOid)],
    encapContentInfo: new pki.EncapsulatedContentInfo({
      eContentType: contentType,
      eContent: new asn1.OctetString({ valueHex: new Uint8Array(Buffer.from(content)).buffer }),
    }),
    certificates: certificates.map(({ parsed }) => parsed),
    signerInfos: Array.from({ length: signers }, () => info),
  });
  const envelope = new pki.ContentInfo({
    contentType: oids.signedData,
    content: data.toSchema(true),
  });
  return Buffer.from(envelope.toSchema().toBER()).toString("base64");
}

function signedAttributes(
  content: string,
  contentType: string,
  { signedAt, digestOf = content }: NonNullable<MessageParts["attributes"]>,
): pki.SignedAndUnsignedAttributes {
  const digest = createHash("sha256").update(digestOf).digest();
  const attributes = [
    attribute(oids.contentType, new asn1.ObjectIdentifier({ value: contentType })),
    attribute(
      oids.messageDigest,
      new asn1.OctetString({ valueHex: new Uint8Array(digest).buffer }),
    ),
    ...(signedAt === undefined
      ? []
      : [attribute(oids.signingTime, new asn1.UTCTime({ valueDate: signedAt }))]),
  ];
  return new pki.SignedAndUnsignedAttributes({ type: 0, attributes });
}

/** Encodes attributes for signing: as a set, regardless of their tag. */
function asSet(attributes: pki.SignedAndUnsignedAttributes): Buffer {
  const bytes = Buffer.from(attributes.toSchema().toBER());
  bytes[0] = 0x31;
  return bytes;
}

function attribute(type: string, value: asn1.BaseBlock): pki.Attribute {
  return new pki.Attribute({ type, values: [value] });
}

function algorithm(algorithmId: string): pki.AlgorithmIdentifier {
  return new pki.AlgorithmIdentifier({ algorithmId, algorithmParams: new asn1.Null() });
}

function commonName(value: string): pki.AttributeTypeAndValue {
  return new pki.AttributeTypeAndValue({ type: "2.5.4.3", value: new asn1.Utf8String({ value }) });
}

function authorityExtensions(pathLength: number | undefined): readonly pki.Extension[] {
  const length = pathLength === undefined ? {} : { pathLenConstraint: pathLength };
  const constraints = new pki.BasicConstraints({ cA: true, ...length });
  // Key usage: signs certificates only.
  const usage = new asn1.BitString({ valueHex: new Uint8Array([0x04]).buffer, unusedBits: 2 });
  return [
    extension("2.5.29.19", true, constraints.toSchema()),
    extension("2.5.29.15", true, usage),
  ];
}

function addressExtension(address: string): pki.Extension {
  const valueHex = Uint8Array.from(address.split("."), Number).buffer;
  const value = new asn1.OctetString({ valueHex });
  const names = [new pki.GeneralName({ type: 7, value })];
  return extension("2.5.29.17", false, new pki.GeneralNames({ names }).toSchema());
}

function accessExtension(urls: readonly string[]): pki.Extension {
  const accessDescriptions = urls.map(
    (value) =>
      new pki.AccessDescription({
        accessMethod: "1.3.6.1.5.5.7.48.2",
        accessLocation: new pki.GeneralName({ type: 6, value }),
      }),
  );
  return extension(
    "1.3.6.1.5.5.7.1.1",
    false,
    new pki.InfoAccess({ accessDescriptions }).toSchema(),
  );
}

function extension(extnID: string, critical: boolean, value: asn1.BaseBlock): pki.Extension {
  return new pki.Extension({ extnID, critical, extnValue: value.toBER() });
}
