import { generateKeyPairSync } from "node:crypto";

import { IdentityError } from "@slipway/identity";
import {
  awsKeys,
  azureTrust,
  SignatureBudget,
  verifyAwsIdentity,
  verifyAzureIdentity,
  verifyGoogleIdentity,
} from "@slipway/identity/testing";
import { issue, signMessage } from "@slipway/testkit/clouds";

import { type FuzzTarget, textOf, utf8 } from "../target.ts";

const keys = awsKeys([]);
const trust = azureTrust([]);
const jwk = {
  ...generateKeyPairSync("rsa", { modulusLength: 2048 }).publicKey.export({ format: "jwk" }),
  kid: "k",
};
const googleKeys = { find: async () => jwk };
const nowMs = Date.UTC(2026, 0, 1);

/** The identities that anyone may send: only those signed by a cloud are accepted. */
export const identitiesTarget: FuzzTarget = {
  name: "identities",
  maxBytes: 48 * 1024,
  maxMs: 1_500,
  words: [
    "0\x82\x01\x00",
    "0\x80",
    "\x06\x09*\x86H\x86\xf7\x0d\x01\x07\x02",
    "\xa0\x80",
    '{"exp":9e99}',
    ".",
  ],
  seeds: async () => {
    const signer = await issue({ name: "metadata.azure.com", kind: "rsa" });
    const attributes = { signedAt: new Date(nowMs) };
    const documents = [
      { signer },
      { signer, attributes },
      { signer, certificates: [signer, signer] },
    ];
    const segments = [
      '{"alg":"RS256","kid":"k"}',
      '{"exp":9e99,"aud":"coder","iss":"accounts.google.com"}',
      "x",
    ];
    const token = segments.map((text) => Buffer.from(text).toString("base64url")).join(".");
    return [
      ...documents.map((parts) => Buffer.from(signMessage('{"vmId":"x"}', parts), "base64")),
      utf8(token),
      utf8('{"instanceId":"i-1"}'),
    ];
  },
  check: async (input) => {
    const text = textOf(input);
    const base64 = Buffer.from(input).toString("base64");
    const fetchIssuers = async () => [];
    await expectRefusal(async () => verifyAwsIdentity({ document: text, signature: base64 }, keys));
    await expectRefusal(() =>
      verifyAzureIdentity(base64, {
        trust,
        fetchIssuers,
        nowMs,
        signatures: new SignatureBudget(),
      }),
    );
    await expectRefusal(() =>
      verifyGoogleIdentity(text, {
        keys: { RS256: googleKeys, ES256: googleKeys },
        audience: "coder",
        nowMs,
      }),
    );
  },
};

async function expectRefusal(verify: () => Promise<string>): Promise<void> {
  const id = await verify().catch((error: unknown) => {
    if (error instanceof IdentityError) return undefined;
    throw error;
  });
  if (id !== undefined) throw new Error(`accepted unsigned machine ${JSON.stringify(id)}`);
}
