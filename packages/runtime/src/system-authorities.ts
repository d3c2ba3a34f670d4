import type * as crypto from "node:crypto";
import type * as fs from "node:fs";
import { join } from "node:path";
import type * as tls from "node:tls";

import { hasSystemErrorCode, systemErrorCode } from "./errors.ts";

/*
 * Node.js trusts its bundled authorities; those of a company are in the store of the system. The variables and
 * locations are those of Go's crypto/x509, so that they apply equally to stock programs and ours.
 */

type Environment = Readonly<Record<string, string | undefined>>;

/** The files of distributions; the first that exists is used. */
const storeFiles = [
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/pki/tls/certs/ca-bundle.crt",
  "/etc/ssl/ca-bundle.pem",
  "/etc/pki/tls/cacert.pem",
  "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
  "/etc/ssl/cert.pem",
];
const storeDirectories = ["/etc/ssl/certs", "/etc/pki/tls/certs"];

let isLoaded = false;

/**
 * Dials, and dials again with the system's authorities if those of Node.js do not suffice: reading the system's takes
 * longer than a short command. `dial` must make a new connection; an untrusted server has received nothing yet.
 */
export async function withSystemAuthorities<T>(dial: () => Promise<T>): Promise<T> {
  const wereLoaded = isLoaded;
  try {
    return await dial();
  } catch (error) {
    if (wereLoaded || untrustedAuthorityHint(error) === undefined) throw error;
    trustSystemAuthorities();
    return dial();
  }
}

/** Does the same as `trustSystemAuthorities`, but only if the variables replace the authorities of Node.js. */
export function trustGivenAuthorities(): void {
  if (!isLoaded && isGiven(environment())) trustSystemAuthorities();
}

/**
 * Makes the TLS connections of this thread also trust the system's authorities. If `SSL_CERT_FILE` or `SSL_CERT_DIR`
 * is set, they trust only those found there and those of `NODE_EXTRA_CA_CERTS`. Reads them once.
 */
export function trustSystemAuthorities(): void {
  if (isLoaded) return;
  isLoaded = true;
  const nodeTls = process.getBuiltinModule("node:tls");
  // Node.js before 24.5 cannot do this; NODE_EXTRA_CA_CERTS remains.
  if (!("setDefaultCACertificates" in nodeTls)) return;
  const variables = environment();
  const base = nodeTls.getCACertificates(isGiven(variables) ? "extra" : "default").map(normalized);
  setAuthorities(nodeTls, [...new Set([...base, ...readSystemAuthorities(variables, nodeTls)])]);
}

function environment(): Environment {
  // oxlint-disable-next-line node/no-process-env -- read by every dialer, as Node.js does with its own variables
  return process.env;
}

function isGiven({ SSL_CERT_FILE: file, SSL_CERT_DIR: directories }: Environment): boolean {
  return isSet(file) || isSet(directories);
}

function setAuthorities(nodeTls: typeof tls, certificates: readonly string[]): void {
  try {
    nodeTls.setDefaultCACertificates(certificates);
  } catch {
    // One of them is damaged, which must not affect the others.
    nodeTls.setDefaultCACertificates(certificates.filter(isCertificate));
  }
}

function isCertificate(text: string): boolean {
  const { X509Certificate }: typeof crypto = process.getBuiltinModule("node:crypto");
  try {
    return new X509Certificate(text).raw.length > 0;
  } catch {
    return false;
  }
}

function readSystemAuthorities(env: Environment, nodeTls: typeof tls): readonly string[] {
  if (process.platform === "darwin" || process.platform === "win32") {
    return nodeTls.getCACertificates("system").map(normalized);
  }
  const { SSL_CERT_FILE: file, SSL_CERT_DIR: directories } = env;
  const texts = [
    firstFile(isSet(file) ? [file] : storeFiles),
    ...(isSet(directories) ? directories.split(":") : storeDirectories).flatMap(filesIn),
  ];
  return [...new Set(texts.flatMap(certificatesOf))];
}

function isSet(value: string | undefined): value is string {
  return value !== undefined && value !== "";
}

function firstFile(paths: readonly string[]): string {
  for (const path of paths) {
    const text = readText(path);
    if (text !== undefined) return text;
  }
  return "";
}

/** Returns the texts of a directory's files, each once even if it has several names. */
function filesIn(directory: string): readonly string[] {
  const { readdirSync, readlinkSync }: typeof fs = process.getBuiltinModule("node:fs");
  try {
    return readdirSync(directory, { withFileTypes: true })
      .filter((entry) => {
        if (!entry.isSymbolicLink()) return entry.isFile();
        return readlinkSync(join(directory, entry.name)).includes("/");
      })
      .flatMap(({ name }) => readText(join(directory, name)) ?? []);
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error;
    return [];
  }
}

/** Returns the text of a file; undefined if it cannot be read. */
function readText(path: string): string | undefined {
  const { readFileSync }: typeof fs = process.getBuiltinModule("node:fs");
  try {
    return readFileSync(path, "latin1");
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error;
    return undefined;
  }
}

const certificate = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;

function certificatesOf(text: string): readonly string[] {
  return text.match(certificate)?.map(normalized) ?? [];
}

function normalized(text: string): string {
  return text.replaceAll("\r", "").trim();
}

const untrustedCodes: ReadonlySet<string> = new Set([
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
]);

/** Returns a hint for an error caused by a certificate of an unknown authority; undefined for any other error. */
export function untrustedAuthorityHint(error: unknown): string | undefined {
  return hasSystemErrorCode(error, untrustedCodes)
    ? "add the certificate's authority to the system's store, or set SSL_CERT_FILE or NODE_EXTRA_CA_CERTS to its PEM file"
    : undefined;
}
