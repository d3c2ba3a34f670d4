const loopback: ReadonlySet<string> = new Set(["localhost", "127.0.0.1", "[::1]"]);

/** Schemes that a browser handles itself, so that no installed application receives the answer. */
const browserSchemes: ReadonlySet<string> = new Set(
  "about: blob: chrome: data: file: filesystem: ftp: intent: javascript: vbscript: view-source: ws: wss:".split(
    " ",
  ),
);

/**
 * Parses an address to which a browser is sent with the answer: a website over https, a port of the browser's machine
 * (RFC 8252 §7.3), or the scheme of an application (§7.1). Returns undefined for any other.
 */
export function parseRedirectUri(text: string): URL | undefined {
  const url = /^[\x21-\x7e]+$/.test(text) ? URL.parse(text) : null;
  if (url === null || text.includes("#") || url.username !== "" || url.password !== "") {
    return undefined;
  }
  if (url.protocol === "http:") return loopback.has(url.hostname) ? url : undefined;
  if (url.protocol === "https:") return url;
  const isOfApplication = text.startsWith(`${url.protocol}/`) && !browserSchemes.has(url.protocol);
  return isOfApplication ? url : undefined;
}

/**
 * Returns whether a requested address is a registered one: the same text, but for the port of the browser's machine, which
 * a program chooses each time (RFC 8252 §7.3).
 */
export function isSameRedirectUri(requested: string, registered: string): boolean {
  if (requested === registered) return true;
  const [asked, known] = [parseRedirectUri(requested), parseRedirectUri(registered)];
  if (asked?.protocol !== "http:" || known?.protocol !== "http:") return false;
  [asked.port, known.port] = ["", ""];
  return asked.href === known.href;
}

/** Describes the receiver of an answer, for the person who allows it. */
export function receiverOf(redirectUri: string): string {
  const url = new URL(redirectUri);
  if (url.protocol === "http:") return `a program on your computer (${url.host})`;
  if (url.protocol === "https:") return `the website ${url.host}`;
  return `the application that opens ${url.protocol}// links on your computer`;
}
