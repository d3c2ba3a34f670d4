import { hasSystemErrorCode } from "./errors.ts";

/*
 * The certificates that proxies in front of servers ask for. As for the authorities of the system, whoever dials looks here:
 * no way to a server is without its certificate, and no other server gets it.
 */

/** What TLS connections to one server present and trust, in PEM. */
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

/** Has every later connection of this thread to a server's origin present a certificate. */
export function presentCertificate(serverUrl: string, certificate: ClientCertificate): void {
  certificates.set(originOf(serverUrl), certificate);
}

/** Returns the options of a TLS connection to a URL: those of its server's certificate, or none. */
export function certificateFor(url: URL | string): ClientCertificate {
  // Hardly anyone has one.
  return certificates.size === 0 ? none : (certificates.get(originOf(url)) ?? none);
}

/** Returns what to do about an error of a server that wants a certificate; undefined for any other. */
export function wantedCertificateHint(error: unknown): string | undefined {
  return hasSystemErrorCode(error, wantedCodes)
    ? "the server, or a proxy before it, wants a client certificate: set CODER_CLIENT_TLS_CERT_FILE and CODER_CLIENT_TLS_KEY_FILE"
    : undefined;
}

const wantedCodes: ReadonlySet<string> = new Set([
  "ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED",
  "ERR_SSL_TLSV1_ALERT_UNKNOWN_CA",
]);

/** Returns the origin, for WebSockets that of the HTTP server which they begin at. */
function originOf(url: URL | string): string {
  const { protocol, host } = new URL(url);
  return `${protocol.replace(/^ws/, "http")}//${host}`;
}
