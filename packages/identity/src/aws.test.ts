import {
  generateKeyPairSync,
  type KeyObject,
  sign,
  type SignKeyObjectInput,
  X509Certificate,
} from "node:crypto";

import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { awsCertificates } from "./aws-certificates.ts";
import { awsKeys, verifyAwsIdentity } from "./aws.ts";
import { IdentityError } from "./errors.ts";

const signer = generateKeyPairSync("rsa", { modulusLength: 1024 });
const keys = [generateKeyPairSync("rsa", { modulusLength: 1024 }).publicKey, signer.publicKey];
const document = '{\n  "instanceId" : "i-0123",\n  "region" : "us-west-2"\n}';

function signed(text: string, key: KeyObject | SignKeyObjectInput = signer.privateKey): string {
  const signature = sign("sha256", Buffer.from(text), key).toString("base64");
  // As AWS returns it.
  return signature.replaceAll(/.{64}/g, "$&\n");
}

/** docs/protocol/rest.md §3. */
const published = `
other      A9CBE1410330DFC5 09:4D:DA:76:58:B9:16:7E
hongkong   ED42F915C51BCAF5 B1:CF:4F:5C:06:96:CC:FE
bahrain    C97AB8857FCEA245 28:00:00:67:2B:F2:5F:A7
capetown   ABA67D9891ACDBC7 50:9A:6F:F1:27:D3:54:04
milan      E67718421A0DCBA0 D3:3D:2D:21:F4:15:4F:44
china      90BBDEED78A443E3 EA:F8:EC:BA:5D:8D:4A:96
telaviv    017D1040654B     A9:7C:FC:53:39:BB:B7:68
uae        0178D1AE70E3     6B:0A:F8:0A:38:4D:E2:81
zurich     0178D21851A2     2B:FA:A1:51:8E:47:E0:5F
spain      0178F02E489A     C5:4B:CF:70:7E:67:5C:5E
melbourne  0178D2878D12     6C:B0:F1:85:58:19:20:17
jakarta    0176D50C6DB2     C9:25:CF:91:EF:E6:6D:95
hyderabad  0178F02E3F42     1E:12:07:50:8F:87:53:59
govcloud   87BD1E7ABCD8EED4 7F:D1:FC:47:45:61:9D:24`;

describe("the keys of AWS", () => {
  it("are those of the certificates that it publishes", () => {
    const found = Object.entries(awsCertificates).map(([region, text]) => {
      const certificate = new X509Certificate(Buffer.from(text, "base64"));
      const { serialNumber, fingerprint256 } = certificate;
      return `${region.padEnd(10)} ${serialNumber.padEnd(16)} ${fingerprint256.slice(0, 23)}`;
    });
    expect(found).toEqual(published.trim().split("\n"));
  });

  it("are of RSA, all of them, and more where there are more", () => {
    const [text = ""] = Object.values(awsCertificates);
    const more = new X509Certificate(Buffer.from(text, "base64"));
    const types = awsKeys([more]).map((key) => key.asymmetricKeyType);
    expect(types).toEqual(Array.from({ length: 15 }, () => "rsa"));
  });
});

describe("the identity of an AWS machine", () => {
  it("is proved by a signature over the bytes of its document", () => {
    expect(verifyAwsIdentity({ document, signature: signed(document) }, keys)).toBe("i-0123");
  });

  it.each([
    ["another document", document.replace("0123", "0124"), signed(document)],
    ["other blanks", document.replaceAll("\n", ""), signed(document)],
    [
      "another key",
      document,
      signed(document, generateKeyPairSync("rsa", { modulusLength: 1024 }).privateKey),
    ],
    ["another padding", document, signed(document, { key: signer.privateKey, padding: 6 })],
    ["no signature", document, ""],
    ["a short signature", document, "AAAA"],
  ])("is not proved by %s", (_, shown, signature) => {
    const verifying = () => verifyAwsIdentity({ document: shown, signature }, keys);
    expect(verifying).toThrow(new IdentityError("crypto/rsa: verification error"));
  });

  it.each([
    ["", "parse document: Unexpected end"],
    ["x", "parse document: Unexpected token"],
    ["null", "parse document: found no text instanceId"],
    ['{"instanceId":1}', "parse document: found no text instanceId"],
    ["[]", "parse document: found no text instanceId"],
  ])("is not read from %j", (shown, message) => {
    const verifying = () => verifyAwsIdentity({ document: shown, signature: signed(shown) }, keys);
    expect(verifying).toThrow(
      expect.objectContaining({ name: "IdentityError", message: expect.stringContaining(message) }),
    );
  });

  it.each(["=", "A", "AAAA=", "AA AA", "-_-_", "AAA=AAAA"])("is not signed by %j", (signature) => {
    const verifying = () => verifyAwsIdentity({ document, signature }, keys);
    expect(verifying).toThrow(new IdentityError("decode signature: found no base64"));
  });

  it("is refused in one way only, whatever is shown", () => {
    const text = fc.oneof(fc.string(), fc.json(), fc.base64String(), fc.string({ unit: "binary" }));
    fc.assert(
      fc.property(text, text, (shown, signature) => {
        expect(() => verifyAwsIdentity({ document: shown, signature }, keys)).toThrow(
          IdentityError,
        );
      }),
    );
  });

  it("is refused when anything of it is missing", () => {
    const signature = signed(document);
    for (let length = 0; length < document.length; length += 1) {
      const cut = { document: document.slice(0, length), signature };
      expect(() => verifyAwsIdentity(cut, keys)).toThrow(IdentityError);
    }
    for (let length = 0; length < signature.trimEnd().length; length += 1) {
      const cut = { document, signature: signature.slice(0, length) };
      expect(() => verifyAwsIdentity(cut, keys)).toThrow(IdentityError);
    }
  });
});
