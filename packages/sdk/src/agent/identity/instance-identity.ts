import { readFile } from "node:fs/promises";

import { IdentityError } from "../errors.ts";
import { MetadataService } from "./metadata-service.ts";
import type { MetadataRequest } from "./metadata-service.ts";

/** A cloud whose instances can prove their identity. */
export type Cloud = "aws" | "azure" | "google";

/** The issuer of a machine's identity: its cloud, or the cluster of a pod. */
export type IdentityIssuer = Cloud | "kubernetes";

/**
 * The identity of an instance that a cloud states and signs: the fields of the exchange's body
 * (docs/protocol/agent.md §1.3).
 */
export type InstanceIdentity =
  | { readonly signature: string; readonly document: string }
  | { readonly signature: string; readonly encoding: string }
  | { readonly json_web_token: string }
  | { readonly token: string };

export const issuerNames = {
  aws: "AWS",
  azure: "Azure",
  google: "Google Cloud",
  kubernetes: "Kubernetes",
} as const;

/**
 * Asks the metadata service at `metadataUrl` for the identity of the instance that this process runs on; that of a pod is
 * in the file of this path. Rejects with `IdentityError`, even if the signal is aborted.
 */
export function fetchIdentity(
  issuer: IdentityIssuer,
  metadataUrl: string,
  signal: AbortSignal,
): Promise<InstanceIdentity> {
  if (issuer === "kubernetes") return readPodToken(metadataUrl);
  const service = new MetadataService(issuerNames[issuer], metadataUrl);
  switch (issuer) {
    case "aws":
      return fetchAws(service, signal);
    case "azure":
      return fetchAzure(service, signal);
    case "google":
      return fetchGoogle(service, signal);
  }
}

/** The token's lifetime: six hours, the longest that AWS grants. */
const awsSessionSeconds = 21_600;
/** Text that a header can hold. */
const headerText = /^[\x21-\x7e]+$/;

async function fetchAws(service: MetadataService, signal: AbortSignal): Promise<InstanceIdentity> {
  const opening: MetadataRequest = {
    method: "PUT",
    path: "/latest/api/token",
    headers: { "X-aws-ec2-metadata-token-ttl-seconds": String(awsSessionSeconds) },
  };
  const session = (await service.ask(opening, signal)).trim();
  if (!headerText.test(session)) throw service.unusable(opening, "a token");
  const requestFor = (part: string): MetadataRequest => ({
    method: "GET",
    path: `/latest/dynamic/instance-identity/${part}`,
    headers: { "X-aws-ec2-metadata-token": session },
  });
  const signature = await service.ask(requestFor("signature"), signal);
  // Every byte of it is signed.
  const document = await service.ask(requestFor("document"), signal);
  return { signature, document };
}

async function fetchAzure(
  service: MetadataService,
  signal: AbortSignal,
): Promise<InstanceIdentity> {
  const request: MetadataRequest = {
    method: "GET",
    path: "/metadata/attested/document?api-version=2020-09-01",
    headers: { Metadata: "true" },
  };
  const attested = parseAttested(await service.ask(request, signal));
  if (attested === undefined) {
    throw service.unusable(request, "JSON with the texts signature and encoding");
  }
  return attested;
}

function parseAttested(text: string): InstanceIdentity | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed !== "object" || parsed === null) return undefined;
    if (!("signature" in parsed && "encoding" in parsed)) return undefined;
    const { signature, encoding } = parsed;
    if (typeof signature !== "string" || signature === "") return undefined;
    return typeof encoding === "string" ? { signature, encoding } : undefined;
  } catch {
    // Not JSON. The error would reveal a part of it.
    return undefined;
  }
}

const jsonWebToken = /^[\w-]+\.[\w-]+\.[\w-]+$/;

async function fetchGoogle(
  service: MetadataService,
  signal: AbortSignal,
): Promise<InstanceIdentity> {
  const request: MetadataRequest = {
    method: "GET",
    path: "/computeMetadata/v1/instance/service-accounts/default/identity?audience=coder&format=full",
    headers: { "Metadata-Flavor": "Google" },
  };
  const token = (await service.ask(request, signal)).trim();
  if (!jsonWebToken.test(token)) throw service.unusable(request, "a JSON web token");
  return { json_web_token: token };
}

/** Reads the token that the kubelet keeps fresh. */
async function readPodToken(path: string): Promise<InstanceIdentity> {
  try {
    const token = (await readFile(path, "utf8")).trim();
    if (jsonWebToken.test(token)) return { token };
  } catch (cause) {
    throw new IdentityError(`the pod's token ${path} cannot be read`, { cause });
  }
  throw new IdentityError(`the pod's token ${path} is not a JSON web token`);
}
