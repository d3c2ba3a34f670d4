import { KeyObject, sign } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { CompactSign, exportJWK } from "jose";

import { openLocalServer } from "../servers/local-server.ts";
import { issue, type IssuedCertificate, makeKeys, signMessage } from "./authority.ts";

/** Cloud providers for a test; a server with these settings accepts their machines. */
export interface Clouds extends AsyncDisposable {
  readonly environment: Readonly<Record<string, string>>;
  /** The identity that a machine of each cloud sends. */
  readonly aws: (instanceId: string) => Body;
  readonly azure: (instanceId: string) => Body;
  readonly google: (instanceId: string, alg?: "RS256" | "ES256") => Promise<Body>;
  /** The same bodies, signed by another key. */
  readonly forged: () => Promise<Readonly<Record<"aws" | "azure" | "google", Body>>>;
}

export type Body = Readonly<Record<string, string>>;

interface Signers {
  readonly aws: IssuedCertificate;
  readonly azure: IssuedCertificate;
  readonly rsa: IssuedCertificate["keys"];
  readonly ec: IssuedCertificate["keys"];
}

/** Creates the keys and certificates of three clouds and serves Google's over HTTP. */
export async function openClouds(): Promise<Clouds> {
  await using opening = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), "slipway-clouds-"));
  opening.defer(() => rm(directory, { recursive: true, force: true }));
  const root = await issue({ name: "Test Root", isAuthority: true });
  const middle = await issue({ name: "Test Middle", issuer: root, isAuthority: true });
  const signers = await makeSigners(middle);
  const [awsFile, azureFile] = [join(directory, "aws.pem"), join(directory, "azure.pem")];
  await writeFile(awsFile, signers.aws.pem);
  await writeFile(azureFile, root.pem + middle.pem);
  const google = opening.use(await serveKeys(signers));
  const opened = opening.move();
  return {
    environment: {
      SLIPWAY_AWS_CERTIFICATES: awsFile,
      SLIPWAY_AZURE_CERTIFICATES: azureFile,
      SLIPWAY_GOOGLE_KEYS_URL: `${google.url}/certs`,
      SLIPWAY_GOOGLE_IAP_KEYS_URL: `${google.url}/iap`,
    },
    aws: (id) => awsBody(id, signers),
    azure: (id) => azureBody(id, signers),
    google: (id, alg) => googleBody(id, signers, alg),
    forged: async () => {
      const others = await makeSigners(await issue({ name: "Test Middle", isAuthority: true }));
      return {
        aws: awsBody("i-1", others),
        azure: azureBody("i-1", others),
        google: await googleBody("i-1", others),
      };
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

async function makeSigners(issuer: IssuedCertificate): Promise<Signers> {
  const azure = { name: "metadata.azure.com", issuer, kind: "rsa" } as const;
  return {
    aws: await issue({ name: "ec2.amazonaws.com", kind: "rsa" }),
    azure: await issue(azure),
    rsa: await makeKeys("rsa"),
    ec: await makeKeys("ec"),
  };
}

/** Serves each algorithm's keys at a separate address. */
async function serveKeys({
  rsa,
  ec,
}: Signers): Promise<AsyncDisposable & { readonly url: string }> {
  const answers = new Map([
    ["/certs", [{ ...(await exportJWK(rsa.publicKey)), kid: "k1", alg: "RS256" }]],
    ["/iap", [{ ...(await exportJWK(ec.publicKey)), kid: "k1", alg: "ES256" }]],
  ]);
  return openLocalServer(
    createServer((request, reply) => {
      const keys = answers.get(request.url ?? "") ?? [];
      reply.setHeader("Cache-Control", "public, max-age=3600");
      reply.end(JSON.stringify({ keys }));
    }),
  );
}

function awsBody(instanceId: string, { aws }: Signers): Body {
  const document = JSON.stringify({ instanceId, region: "us-west-2" }, null, 2);
  const key = KeyObject.from(aws.keys.privateKey);
  const signature = sign("sha256", Buffer.from(document), key).toString("base64");
  return { document, signature: signature.replaceAll(/.{64}/g, "$&\n") };
}

function azureBody(vmId: string, { azure: signer }: Signers): Body {
  const now = Date.now();
  const timeStamp = { createdOn: azureTime(now), expiresOn: azureTime(now + 6 * 3_600_000) };
  const document = JSON.stringify({ nonce: "20261125-120000", timeStamp, vmId });
  return { signature: signMessage(document, { signer }), encoding: "pkcs7" };
}

/** Formats a time as Azure does: `11/28/18 06:16:17 -0000`. */
function azureTime(ms: number): string {
  const [date = "", time = ""] = new Date(ms).toISOString().split(/[T.]/);
  const [year = "", month, day] = date.split("-");
  return `${month}/${day}/${year.slice(2)} ${time} -0000`;
}

async function googleBody(
  instanceId: string,
  { rsa, ec }: Signers,
  alg: "RS256" | "ES256" = "RS256",
): Promise<Body> {
  const iat = Math.floor(Date.now() / 1000);
  const iss = alg === "RS256" ? "https://accounts.google.com" : "https://cloud.google.com/iap";
  const claims = {
    aud: "coder",
    iss,
    iat,
    exp: iat + 3600,
    google: { compute_engine: { instance_id: instanceId } },
  };
  const token = await new CompactSign(Buffer.from(JSON.stringify(claims)))
    .setProtectedHeader({ alg, kid: "k1" })
    .sign((alg === "RS256" ? rsa : ec).privateKey);
  return { json_web_token: token };
}
