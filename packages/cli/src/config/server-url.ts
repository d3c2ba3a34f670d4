/** Hosts that nobody has a certificate for. */
const localHost = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])(?=[:/]|$)/;

/**
 * The address of a server as typed by a person, in the form in which it is kept and compared: with a scheme
 * (`http` for this machine, else `https`), without a trailing slash. Throws `TypeError` for what is no address.
 */
export function readServerUrl(text: string): string {
  const trimmed = text.trim();
  const hasScheme = /^[a-z][a-z0-9+.-]*:\/\//i.test(trimmed);
  const withScheme = hasScheme
    ? trimmed
    : `${localHost.test(trimmed) ? "http" : "https"}://${trimmed}`;
  const url = URL.parse(withScheme);
  if (url === null || url.host === "" || !/^https?:$/.test(url.protocol)) {
    throw new TypeError(
      `"${text}" is not a server address, wanted one such as https://slipway.example.com`,
    );
  }
  return `${url.origin}${url.pathname}`.replace(/\/+$/, "");
}
