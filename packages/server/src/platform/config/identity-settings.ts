import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";

import type { IdentitySettings } from "@slipway/identity";
import { errorText } from "@slipway/runtime";

import { readUrl, type Report, type SettingSource, webProtocols } from "./setting-source.ts";

/** Reads the settings of the identities of cloud machines. */
export function readIdentitySettings(source: SettingSource, report: Report): IdentitySettings {
  return {
    awsCertificates: readCertificates(source, "SLIPWAY_AWS_CERTIFICATES", report),
    azureCertificates: readCertificates(source, "SLIPWAY_AZURE_CERTIFICATES", report),
    googleKeysUrl:
      readUrl(source, "SLIPWAY_GOOGLE_KEYS_URL", webProtocols, report) ??
      "https://www.googleapis.com/oauth2/v3/certs",
    googleIapKeysUrl:
      readUrl(source, "SLIPWAY_GOOGLE_IAP_KEYS_URL", webProtocols, report) ??
      "https://www.gstatic.com/iap/verify/public_key-jwk",
    googleAudience: source["SLIPWAY_GOOGLE_AUDIENCE"] || "coder",
  };
}

function readCertificates(
  source: SettingSource,
  name: string,
  report: Report,
): readonly X509Certificate[] {
  const path = source[name];
  if (path === undefined || path === "") return [];
  const read = readCertificateFile(resolve(path));
  if (typeof read !== "string") return read;
  report(name, `a file of certificates in PEM (${read})`);
  return [];
}

/** The maximum size of a certificate file, in bytes. */
const maxBytes = 1024 * 1024;
const block = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]*-----END CERTIFICATE-----/g;

/** Reads the certificates in a PEM file, at least one; returns a text that describes the fault otherwise. */
function readCertificateFile(path: string): readonly X509Certificate[] | string {
  try {
    const text = readFileSync(path, "latin1");
    if (text.length > maxBytes) return `has more than ${maxBytes} bytes`;
    const certificates = (text.match(block) ?? []).map((pem) => new X509Certificate(pem));
    return certificates.length > 0 ? certificates : "holds no certificate";
  } catch (error) {
    return errorText(error);
  }
}
