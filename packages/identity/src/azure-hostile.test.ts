import { generateKeyPairSync, webcrypto, X509Certificate } from "node:crypto";

import { issue, type IssuedCertificate, makeKeys, signMessage } from "@slipway/testkit/clouds";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";

import {
  type AzureChain,
  content,
  issueAzureChain,
  now,
  refused,
} from "../tests/support/azure-chain.ts";
import { azureTrust, verifyAzureIdentity } from "./azure.ts";
import { hasTrustedChain } from "./certificate-chain.ts";
import { readCertificate } from "./certificate.ts";
import { maxSignatures, SignatureBudget } from "./signature-budget.ts";

/* What strangers present as the identity of an Azure machine, and what it costs. */

let root: IssuedCertificate;
let keys: IssuedCertificate["keys"];
let signer: IssuedCertificate;
let issueSigner: AzureChain["issueSigner"];

beforeAll(async () => {
  ({ root, keys, signer, issueSigner } = await issueAzureChain());
});

describe("whatever is shown as the identity of an Azure machine", () => {
  const refuse = (text: string) =>
    expect(
      verifyAzureIdentity(text, {
        trust: { roots: [], intermediates: [] },
        fetchIssuers: async () => [],
        nowMs: 0,
        signatures: new SignatureBudget(),
      }),
    ).rejects.toEqual(refused);

  it("is refused in one way only, wherever it ends", async () => {
    const bytes = Buffer.from(signMessage(content, { signer }), "base64");
    for (let length = 0; length < bytes.length; length += 1) {
      const cut = bytes.subarray(0, length).toString("base64");
      await refuse(cut);
    }
  });

  it("is refused in one way only, whatever its bytes are", async () => {
    const bytes = Buffer.from(signMessage(content, { signer }), "base64");
    const changed = fc
      .array(fc.record({ at: fc.nat(bytes.length - 1), to: fc.nat(255) }), { maxLength: 8 })
      .map((changes) => {
        const copy = Uint8Array.from(bytes);
        for (const { at, to } of changes) copy[at] = to;
        return copy;
      });
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.uint8Array(), changed), async (shown) => {
        const text = Buffer.from(shown).toString("base64");
        await refuse(text);
      }),
    );
  });

  it.each([
    ["definite", (depth: number) => nested(depth)],
    ["indefinite", (depth: number) => Buffer.alloc(depth * 2, Buffer.from([0x30, 0x80]))],
    [
      "endless numbers",
      (depth: number) =>
        Buffer.concat([Buffer.from([0x06, 0x83, 0, 0xbf, 0xff]), Buffer.alloc(depth, 0xff)]),
    ],
    [
      "many empty things",
      (depth: number) =>
        Buffer.concat([
          Buffer.from([0x30, 0x83, 0, 0xbf, 0xf0]),
          Buffer.alloc(depth * 2, Buffer.from([0x05, 0x00])),
        ]),
    ],
  ])("is refused soon, however deep or long it is: %s", async (_, make) => {
    const text = make(24_570).subarray(0, 49_152).toString("base64");
    const begun = performance.now();
    await refuse(text);
    expect(performance.now() - begun).toBeLessThan(2_000);
  });

  it("does not walk in circles, and gives up after some signatures", async () => {
    const names = ["A", "B", "C"];
    const pairs = new Map(
      await Promise.all(names.map(async (name) => [name, await makeKeys("ec")] as const)),
    );
    const own = await Promise.all(
      names.map((name) => issue({ name, isAuthority: true, keys: pairs.get(name) ?? keys })),
    );
    // Every certificate is issued by every other one, several times.
    const web = await Promise.all(
      [1, 2].flatMap(() =>
        own.flatMap((issuer) =>
          names.map((name) =>
            issue({ name, issuer, isAuthority: true, keys: pairs.get(name) ?? keys }),
          ),
        ),
      ),
    );
    const [issuer] = own;
    const leaf = readCertificate((await issueSigner(issuer && { issuer })).der);
    const intermediates = web.map(({ der }) => readCertificate(der));
    const begun = performance.now();
    const signatures = new SignatureBudget();
    const roots = [new X509Certificate(root.der)];
    const subject = { roots, intermediates, nowMs: now.getTime(), signatures };
    expect(hasTrustedChain(leaf, subject)).toBe(false);
    expect(performance.now() - begun).toBeLessThan(1_000);
    expect(signatures.spent).toBeLessThanOrEqual(maxSignatures);
  });
});

describe("what a message of a stranger costs", () => {
  /** Presents a stranger's signer with certificates of their choice; resolves to the number of checked signatures. */
  async function spentOn(
    certificates: readonly IssuedCertificate[],
    issuer: IssuedCertificate,
  ): Promise<number> {
    const own = await issueSigner({ issuer });
    const message = signMessage(content, { signer: own, certificates: [own, ...certificates] });
    const signatures = new SignatureBudget();
    const verifying = verifyAzureIdentity(message, {
      trust: azureTrust([]),
      fetchIssuers: async () => certificates.map(({ der }) => readCertificate(der)),
      nowMs: now.getTime(),
      signatures,
    });
    await expect(verifying).rejects.toEqual(refused);
    return signatures.spent;
  }

  /** Returns a key pair with a different public key. */
  async function withPublicKey(jwk: object): Promise<IssuedCertificate["keys"]> {
    const algorithm = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };
    const publicKey = await webcrypto.subtle.importKey("jwk", jwk, algorithm, true, ["verify"]);
    return { privateKey: keys.privateKey, publicKey };
  }

  it("is the check of its own signature where no certificate has a usual key", async () => {
    const modulus = generateKeyPairSync("rsa", { modulusLength: 3_072 }).publicKey.export({
      format: "jwk",
    });
    // An exponent as long as the modulus makes a check about a thousand times slower.
    const e = Buffer.alloc(380, 0xab).toString("base64url");
    const unusual = await withPublicKey({ ...modulus, e });
    const [first, ...more] = await Promise.all(
      ["A", "A", "A"].map((name) => issue({ name, isAuthority: true, keys: unusual })),
    );
    if (first === undefined) throw new Error("missing certificate");
    expect(readCertificate(first.der).isUsable).toBe(false);
    expect(await spentOn([first, ...more], first)).toBe(1);
  });

  it("is nothing where the signer's own key is not usual", async () => {
    const small = generateKeyPairSync("rsa", { modulusLength: 1_024 }).publicKey;
    const unusual = await withPublicKey(small.export({ format: "jwk" }));
    const signatures = new SignatureBudget();
    const own = await issueSigner({ issuer: root, keys: unusual });
    const verifying = verifyAzureIdentity(signMessage(content, { signer: own }), {
      trust: azureTrust([]),
      fetchIssuers: async () => [],
      nowMs: now.getTime(),
      signatures,
    });
    await expect(verifying).rejects.toEqual(refused);
    expect(signatures.spent).toBe(0);
  });

  it("is one check for each certificate, though they issue each other", async () => {
    const pair = await makeKeys("ec");
    const a = await issue({ name: "A", isAuthority: true, keys: pair });
    const b = await issue({ name: "B", isAuthority: true, keys: pair, issuer: a });
    const back = await issue({ name: "A", isAuthority: true, keys: pair, issuer: b });
    // Its own; its issuer under both of A's certificates; B; and the same again with the fetched certificates.
    expect(await spentOn([a, b, back], a)).toBeLessThanOrEqual(1 + 2 * 4);
  });

  it("ends with the budget, however many issuers have the name", async () => {
    const issuers = await Promise.all(
      Array.from({ length: 30 }, () => issue({ name: "A", isAuthority: true })),
    );
    const [shown] = issuers;
    if (shown === undefined) throw new Error("missing certificate");
    const leaf = readCertificate((await issueSigner({ issuer: shown })).der);
    const signatures = new SignatureBudget();
    const intermediates = issuers.slice(1).map(({ der }) => readCertificate(der));
    const subject = { roots: [], intermediates, nowMs: now.getTime(), signatures };
    expect(hasTrustedChain(leaf, subject)).toBe(false);
    expect(signatures.spent).toBe(maxSignatures);
  });
});

/** Returns nested sequences with correct lengths. */
function nested(depth: number): Buffer {
  const heads: Buffer[] = [];
  let length = 0;
  for (let at = 0; at < depth && length < 49_000; at += 1) {
    const head = length < 128 ? [0x30, length] : [0x30, 0x82, length >> 8, length & 0xff];
    heads.push(Buffer.from(head));
    length += head.length;
  }
  return Buffer.concat(heads.toReversed());
}
