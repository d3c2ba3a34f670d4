import type { createPrivateKey, X509Certificate } from "node:crypto";

import { type ClientCertificate, errorText, presentCertificate } from "@slipway/runtime";

/** A file of a setting, such as `CODER_CLIENT_TLS_KEY_FILE`. */
export interface CertificateFile {
  readonly path: string;
  /** The flag or variable, for errors. */
  readonly setting: string;
}

/** The files of a client certificate, in PEM. */
export interface CertificateFiles {
  readonly cert: CertificateFile | undefined;
  readonly key: CertificateFile | undefined;
  readonly ca: CertificateFile | undefined;
}

/** A file of a client certificate that is missing, or does not contain what its setting requires. */
export class ClientCertificateError extends Error {
  override readonly name = "ClientCertificateError";
  readonly code = "client-certificate-error";
}

/**
 * Reads and checks the files, and has every later connection to the server present the certificate. Does nothing
 * without files. Throws `ClientCertificateError` with the setting and the file.
 */
export async function presentCertificateFiles(
  serverUrl: string,
  files: CertificateFiles,
): Promise<void> {
  const { cert, key, ca } = files;
  if (cert === undefined && key === undefined && ca === undefined) return;
  const certificate: ClientCertificate = {
    ...(await readPair(cert, key)),
    ...(ca === undefined ? {} : { ca: await readAuthorities(ca) }),
  };
  presentCertificate(serverUrl, certificate);
}

async function readPair(
  certFile: CertificateFile | undefined,
  keyFile: CertificateFile | undefined,
): Promise<ClientCertificate> {
  if (certFile === undefined && keyFile === undefined) return {};
  if (certFile === undefined || keyFile === undefined) {
    const { setting } = certFile ?? keyFile ?? { setting: "" };
    const [has, lacks] = keyFile === undefined ? ["certificate", "key"] : ["key", "certificate"];
    throw new ClientCertificateError(
      `${setting} sets a client ${has} without its ${lacks}, wanted both`,
    );
  }
  const [cert, key] = await Promise.all([readPem(certFile), readPem(keyFile)]);
  const parsed = parseCertificate(certFile, cert);
  if (!parsed.checkPrivateKey(parseKey(keyFile, key))) {
    throw new ClientCertificateError(
      `${keyFile.setting}: ${keyFile.path} is not the key of the certificate in ${certFile.path}`,
    );
  }
  return { cert, key };
}

async function readAuthorities(file: CertificateFile): Promise<string> {
  const text = await readPem(file);
  parseCertificate(file, text);
  return text;
}

async function readPem({ path, setting }: CertificateFile): Promise<string> {
  // Hardly anyone has one, and a command must start fast.
  const { readFile } = await import("node:fs/promises");
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    throw new ClientCertificateError(`${setting}: cannot read ${path}: ${errorText(cause)}`);
  }
}

function parseCertificate({ path, setting }: CertificateFile, pem: string): X509Certificate {
  const crypto = process.getBuiltinModule("node:crypto");
  try {
    return new crypto.X509Certificate(pem);
  } catch {
    throw new ClientCertificateError(`${setting}: ${path} has no certificate, wanted one in PEM`);
  }
}

function parseKey(
  { path, setting }: CertificateFile,
  pem: string,
): ReturnType<typeof createPrivateKey> {
  const crypto = process.getBuiltinModule("node:crypto");
  try {
    return crypto.createPrivateKey(pem);
  } catch {
    throw new ClientCertificateError(
      `${setting}: ${path} has no private key, wanted one in PEM without a passphrase`,
    );
  }
}
