/** Characters that a header name may hold (RFC 9110, 5.6.2). */
const headerName = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** Reads one `key=value`; any other text is a fault. */
export function parseHeader(text: string): readonly [string, string] | undefined {
  const at = text.indexOf("=");
  const name = text.slice(0, Math.max(at, 0)).trim();
  const value = text.slice(at + 1).trim();
  if (at < 1 || !headerName.test(name) || /[\0\r\n]/.test(value)) return undefined;
  return [name, value];
}
