import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";

import { errorText } from "@slipway/runtime";

/** The maximum size of a certificate file, in bytes. */
const maxBytes = 1024 * 1024;
const block = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]*-----END CERTIFICATE-----/g;

/** Reads the certificates in a PEM file, at least one; returns a text that describes the fault otherwise. */
export function readCertificateFile(path: string): readonly X509Certificate[] | string {
  try {
    const text = readFileSync(path, "latin1");
    if (text.length > maxBytes) return `has more than ${maxBytes} bytes`;
    const certificates = (text.match(block) ?? []).map((pem) => new X509Certificate(pem));
    return certificates.length > 0 ? certificates : "holds no certificate";
  } catch (error) {
    return errorText(error);
  }
}
