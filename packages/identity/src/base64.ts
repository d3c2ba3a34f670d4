const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** The bytes of a text in base64, which may be broken into lines; undefined where it is none. */
export function decodeBase64(text: string): Buffer | undefined {
  const line = text.replaceAll(/[\r\n]/g, "");
  return base64.test(line) ? Buffer.from(line, "base64") : undefined;
}
