import { X509Certificate } from "node:crypto";

import {
  type CertificateParts,
  issue,
  type IssuedCertificate,
  makeKeys,
  type MessageParts,
  signMessage,
} from "@slipway/testkit/clouds";
import { beforeAll, describe, expect, it } from "vitest";

import {
  type AzureChain,
  content,
  issueAzureChain,
  machineId as id,
  metadata,
  now,
  refused,
} from "../tests/support/azure-chain.ts";
import { azureIntermediates } from "./azure-intermediates.ts";
import { azureTrust, verifyAzureIdentity } from "./azure.ts";
import { hasTrustedChain } from "./certificate-chain.ts";
import { readCertificate } from "./certificate.ts";
import { SignatureBudget } from "./signature-budget.ts";

let root: IssuedCertificate;
let middle: IssuedCertificate;
let signer: IssuedCertificate;
let issueSigner: AzureChain["issueSigner"];

beforeAll(async () => {
  ({ root, middle, signer, issueSigner } = await issueAzureChain());
});

interface VerifyOptions {
  /** Trusted certificates besides the public roots. */
  readonly more?: readonly IssuedCertificate[];
  /** The certificates that every address serves. */
  readonly fetched?: readonly IssuedCertificate[];
  readonly asked?: string[];
}

function verify(
  signature: string,
  { more = [root, middle], fetched = [], asked = [] }: VerifyOptions = {},
): Promise<string> {
  return verifyAzureIdentity(signature, {
    trust: azureTrust(more.map(({ der }) => new X509Certificate(der))),
    fetchIssuers: async (urls) => {
      asked.push(...urls);
      return fetched.map(({ der }) => readCertificate(der));
    },
    nowMs: now.getTime(),
    signatures: new SignatureBudget(),
  });
}

describe("the intermediates of Azure", () => {
  it("are those that Microsoft and DigiCert publish", () => {
    const found = Object.entries(azureIntermediates).map(([name, text]) => {
      const certificate = new X509Certificate(Buffer.from(text, "base64"));
      expect(certificate.subject).toContain(`CN=${name}`);
      return `${name} ${certificate.fingerprint256.slice(0, 23)}`;
    });
    expect(found).toEqual([
      "Microsoft TLS RSA Root G2 DD:CD:1E:8A:20:63:8D:4A",
      "Microsoft TLS G2 RSA CA OCSP 02 EA:7A:25:25:5D:11:1F:C3",
      "Microsoft TLS G2 RSA CA OCSP 04 AC:8E:A9:F2:87:4F:D3:68",
      "Microsoft TLS G2 RSA CA OCSP 06 16:B7:4B:33:5C:6F:98:01",
      "Microsoft TLS G2 RSA CA OCSP 08 88:54:51:30:7A:4A:BF:29",
      "Microsoft TLS G2 RSA CA OCSP 10 6E:BF:F9:27:29:7A:5B:3A",
      "Microsoft TLS G2 RSA CA OCSP 12 D9:28:0D:DA:01:FC:DF:E2",
      "Microsoft TLS G2 RSA CA OCSP 14 B2:AB:E8:46:72:54:86:95",
      "Microsoft TLS G2 RSA CA OCSP 16 38:D8:95:F5:10:5B:C2:54",
    ]);
  });

  it("are issued by roots that everybody trusts", () => {
    const { roots, intermediates } = azureTrust([]);
    for (const leaf of intermediates) {
      const subject = { roots, intermediates, nowMs: now.getTime() };
      const signatures = new SignatureBudget();
      expect(hasTrustedChain(leaf, { ...subject, signatures })).toBe(true);
    }
  });
});

function made(parts: Partial<MessageParts>, text = content): string {
  return signMessage(text, { signer, ...parts });
}

describe("the identity of an Azure machine", () => {
  it("is proved by a document that the metadata service signed", async () => {
    expect(await verify(signMessage(content, { signer }))).toBe(id);
    expect(await verify(signMessage(content, { signer }).replaceAll(/.{76}/g, "$&\r\n"))).toBe(id);
  });

  it.each(["metadata.azure.us", "eastasia.metadata.azure.cn", "a.b.metadata.microsoftazure.de"])(
    "is proved by %s",
    async (name) => {
      expect(await verify(signMessage(content, { signer: await issueSigner({ name }) }))).toBe(id);
    },
  );

  it("is proved by a key of ECDSA too, and with SHA-256 by its own name", async () => {
    const parts = { signer: await issueSigner({ keys: await makeKeys("ec") }) };
    const oids = { digestOid: "2.16.840.1.101.3.4.2.1", signatureOid: "1.2.840.10045.4.3.2" };
    expect(await verify(signMessage(content, { ...parts, ...oids }))).toBe(id);
  });

  it("is proved with attributes, of a time at which the certificate was in force", async () => {
    const attributes = { signedAt: now };
    expect(await verify(signMessage(content, { signer, attributes }))).toBe(id);
    expect(await verify(signMessage(content, { signer, attributes: {} }))).toBe(id);
  });

  it("is proved by intermediates in the envelope, and by those that are configured", async () => {
    const message = signMessage(content, { signer, certificates: [middle, signer] });
    expect(await verify(message, { more: [root] })).toBe(id);
    await expect(verify(signMessage(content, { signer }), { more: [root] })).rejects.toEqual(
      refused,
    );
  });

  it("is proved by an intermediate that is fetched from where the signer's certificate says", async () => {
    const url = "http://www.microsoft.com/pkiops/certs/middle.crt";
    const asked: string[] = [];
    const message = signMessage(content, { signer: await issueSigner({ issuerUrls: [url] }) });
    expect(await verify(message, { more: [root], fetched: [middle], asked })).toBe(id);
    expect(asked).toEqual([url]);
    // Fetched certificates are no more trusted than presented ones.
    const own = await issue({ name: "Middle", isAuthority: true });
    const forged = await issueSigner({ issuer: own, issuerUrls: [url] });
    const forgery = signMessage(content, { signer: forged });
    await expect(verify(forgery, { more: [root], fetched: [own] })).rejects.toEqual(refused);
  });

  /** Returns a document in Azure's format, with these times. */
  const timed = (createdOn: unknown, expiresOn: unknown) =>
    made({}, JSON.stringify({ vmId: id, timeStamp: { createdOn, expiresOn } }));

  it.each([
    ["11/25/26 10:00:00 -0000", "11/25/26 16:00:00 -0000"],
    ["11/25/2026 10:00:00 +0000", "11/25/2026 16:00:00 +0000"],
    ["2026-11-25T10:00:00Z", "2026-11-25T16:00:00Z"],
    // Clocks may differ slightly.
    ["11/25/26 12:01:00 -0000", "11/25/26 11:59:00 -0000"],
    ["11/25/26 13:00:00 +0100", undefined],
  ])("is proved by a document of %s to %s", async (createdOn, expiresOn) => {
    expect(await verify(timed(createdOn, expiresOn))).toBe(id);
  });

  it.each([
    ["11/25/26 05:00:00 -0000", "11/25/26 11:58:59 -0000"],
    ["11/28/18 00:16:17 -0000", "11/28/18 06:16:17 -0000"],
    ["11/25/26 12:01:01 -0000", "11/25/26 18:00:00 -0000"],
    ["11/25/26 10:00:00 -0000", "soon"],
    ["11/25/26 10:00:00 -0000", "13/45/26 10:00:00 -0000"],
    ["11/25/26 10:00:00 -0000", 1_795_000_000],
    [null, "11/25/26 16:00:00 -0000"],
  ])("is not proved by a document of %s to %s", async (createdOn, expiresOn) => {
    await expect(verify(timed(createdOn, expiresOn))).rejects.toEqual(refused);
  });

  it("is not looked for anywhere when the signature is wrong", async () => {
    const asked: string[] = [];
    const attributes = { digestOf: "something else" };
    const message = signMessage(content, {
      signer: await issueSigner({ issuerUrls: ["http://www.microsoft.com/a.crt"] }),
      attributes,
    });
    await expect(verify(message, { more: [root], asked })).rejects.toEqual(refused);
    expect(asked).toEqual([]);
  });

  /** Faults of the signer's certificate. */
  const wrongSigners: readonly (readonly [
    string,
    () => Partial<CertificateParts> | Promise<Partial<CertificateParts>>,
  ])[] = [
    ["of another name", () => ({ name: "metadata.azure.com.example.com" })],
    ["of a name that only ends like it", () => ({ name: "xmetadata.azure.com" })],
    ["of a name with another line", () => ({ name: "evil\nmetadata.azure.com" })],
    [
      "that issued itself",
      async () => ({ issuer: await issue({ name: metadata, isAuthority: true }) }),
    ],
    ["that has expired", () => ({ to: new Date("2026-11-25T11:59:59Z") })],
    ["that is not in force yet", () => ({ from: new Date("2026-11-25T12:00:01Z") })],
    ["that was signed with SHA-1", () => ({ hash: "SHA-1" as const })],
    ["that demands what nobody knows", () => ({ extensions: [{ id: "1.2.3.4", critical: true }] })],
    [
      "of an issuer who may not issue",
      async () => ({ issuer: await issue({ name: "User", issuer: middle }) }),
    ],
    [
      "of an issuer below one who may have none",
      async () => ({ issuer: await issue({ name: "Low", issuer: middle, isAuthority: true }) }),
    ],
    [
      "of an issuer who has expired",
      async () => ({
        issuer: await issue({
          name: "Old",
          issuer: root,
          isAuthority: true,
          to: new Date("2026-11-01T00:00:00Z"),
        }),
      }),
    ],
    [
      "of an issuer who is limited to names",
      async () => ({
        issuer: await issue({
          name: "Limited",
          issuer: root,
          isAuthority: true,
          extensions: [{ id: "2.5.29.30", critical: false }],
        }),
      }),
    ],
  ];

  it.each(wrongSigners)("is not proved by a certificate %s", async (_, parts) => {
    const wrong = await parts();
    const certificate = await issueSigner(wrong);
    const issuer = wrong.issuer === undefined ? [] : [wrong.issuer];
    const message = signMessage(content, {
      signer: certificate,
      certificates: [certificate, middle, ...issuer],
    });
    await expect(verify(message)).rejects.toEqual(refused);
  });

  const wrongMessages: readonly (readonly [string, () => string])[] = [
    ["of no signer", () => made({ signers: 0 })],
    ["of two signers", () => made({ signers: 2 })],
    ["without the signer's certificate", () => made({ certificates: [middle] })],
    [
      "with too many certificates",
      () => made({ certificates: Array.from({ length: 17 }, () => signer) }),
    ],
    ["that is something else", () => made({ contentType: "1.2.840.113549.1.9.16.1.4" })],
    ["with a digest that does not hold", () => made({ digestOid: "1.3.14.3.2.26" })],
    ["whose attributes are of something else", () => made({ attributes: { digestOf: "{}" } })],
    [
      "signed before the certificate was in force",
      () => made({ attributes: { signedAt: new Date("2025-12-31T00:00:00Z") } }),
    ],
    ["of somebody else's key", () => made({ signer: { ...signer, keys: root.keys } })],
    ["without a machine", () => made({}, "{}")],
    ["whose machine is no text", () => made({}, '{"vmId":1}')],
    ["that is null", () => made({}, "null")],
    ["that is no JSON", () => made({}, "x")],
    ["that is empty", () => ""],
    ["that is no base64", () => "%%%%"],
  ];

  it.each(wrongMessages)("is not proved by a document %s", async (_, make) => {
    await expect(verify(make())).rejects.toEqual(refused);
  });

  it("is not proved when any bit of the document or of the signature is another", async () => {
    const bytes = Buffer.from(made({}), "base64");
    const setting = azureTrust([root, middle].map(({ der }) => new X509Certificate(der)));
    const needs = { trust: setting, fetchIssuers: async () => [], nowMs: now.getTime() };
    const start = bytes.indexOf(content);
    const places = Array.from(content, (_, at) => start + at);
    const last = Array.from({ length: 256 }, (_, at) => bytes.length - 1 - at);
    for (const at of [...places, ...last]) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ 1;
      const signatures = new SignatureBudget();
      const verifying = verifyAzureIdentity(changed.toString("base64"), { ...needs, signatures });
      await expect(verifying).rejects.toEqual(refused);
    }
  });
});
