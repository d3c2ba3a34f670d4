import { hasSystemErrorCode } from "./errors.ts";

/*
 * The certificates that proxies in front of servers require. Like the authorities of the system, they are looked up
 * by every dialer: each connection to a server presents its certificate, and no other server gets it.
 */

/** The PEM texts that TLS connections to one server present and trust. */
export interface ClientCertificate {
  readonly cert?: string;
  /** The key of `cert`. */
  readonly key?: string;
  /** The only authorities to trust for this server (default: those of all servers). */
  readonly ca?: string;
}

/** The certificates by the origin of their server. */
const certificates = new Map<string, ClientCertificate>();
const none: ClientCertificate = {};

/** Makes every later connection of this thread to a server's origin present a certificate. */
export function presentCertificate(serverUrl: string, certificate: ClientCertificate): void {
  certificates.set(originOf(serverUrl), certificate);
}

/** Returns the options of a TLS connection to a URL: those of its server's certificate, or none. */
export function certificateFor(url: URL | string): ClientCertificate {
  // Few users have one.
  return certificates.size === 0 ? none : (certificates.get(originOf(url)) ?? none);
}

/** Returns a hint for the error of a server that requires a certificate; undefined for any other error. */
export function wantedCertificateHint(error: unknown): string | undefined {
  return hasSystemErrorCode(error, wantedCodes)
    ? "the server, or a proxy before it, wants a client certificate: set CODER_CLIENT_TLS_CERT_FILE and CODER_CLIENT_TLS_KEY_FILE"
    : undefined;
}

const wantedCodes: ReadonlySet<string> = new Set([
  "ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED",
  "ERR_SSL_TLSV1_ALERT_UNKNOWN_CA",
]);

/** Returns the origin; for WebSockets, that of the HTTP server where they begin. */
function originOf(url: URL | string): string {
  const { protocol, host } = new URL(url);
  return `${protocol.replace(/^ws/, "http")}//${host}`;
}
