import {
  type CertificateParts,
  issue,
  type IssuedCertificate,
  makeKeys,
} from "@slipway/testkit/clouds";

import { IdentityError } from "../../src/errors.ts";

/** The time at which all documents and certificates are checked. */
export const now = new Date("2026-11-25T12:00:00Z");
export const machineId = "dc18de58-292f-4794-9a5d-000000000001";
/** The document of that machine. */
export const content = JSON.stringify({ nonce: "1", vmId: machineId, timeStamp: {} });
/** The name of the metadata service, which signs documents. */
export const metadata = "metadata.azure.com";

/** The error for everything that is not proved. */
export const refused = new IdentityError("Signature verification failed.");

/** A root, an intermediate, and the metadata service's certificate. */
export interface AzureChain {
  readonly root: IssuedCertificate;
  readonly middle: IssuedCertificate;
  readonly keys: IssuedCertificate["keys"];
  readonly signer: IssuedCertificate;
  /** Issues a certificate like the metadata service's, with `parts` overridden. */
  readonly issueSigner: (parts?: Partial<CertificateParts>) => Promise<IssuedCertificate>;
}

export async function issueAzureChain(): Promise<AzureChain> {
  const keys = await makeKeys("rsa");
  const root = await issue({ name: "Root", isAuthority: true });
  const middle = await issue({ name: "Middle", issuer: root, isAuthority: true, pathLength: 0 });
  const issueSigner: AzureChain["issueSigner"] = (parts = {}) =>
    issue({ name: metadata, issuer: middle, keys, ...parts });
  return { root, middle, keys, signer: await issueSigner(), issueSigner };
}
