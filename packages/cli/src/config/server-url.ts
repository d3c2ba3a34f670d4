/** Hosts of this machine, which have no certificates. */
const localHost = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])(?=[:/]|$)/;

/**
 * Reads a server address as typed and returns it as it is stored and compared: with a scheme (`http` for this machine,
 * otherwise `https`), without a trailing slash. Throws `RangeError` for anything else.
 */
export function readServerUrl(text: string): string {
  const trimmed = text.trim();
  const hasScheme = /^[a-z][a-z0-9+.-]*:\/\//i.test(trimmed);
  const withScheme = hasScheme
    ? trimmed
    : `${localHost.test(trimmed) ? "http" : "https"}://${trimmed}`;
  const url = URL.parse(withScheme);
  if (url === null || url.host === "" || !/^https?:$/.test(url.protocol)) {
    throw new RangeError(
      `"${text}" is not a server address, wanted one such as https://slipway.example.com`,
    );
  }
  return `${url.origin}${url.pathname}`.replace(/\/+$/, "");
}
