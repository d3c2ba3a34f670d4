const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** Decodes base64, which may contain line breaks; undefined if it is invalid. */
export function decodeBase64(text: string): Buffer | undefined {
  const line = text.replaceAll(/[\r\n]/g, "");
  return base64.test(line) ? Buffer.from(line, "base64") : undefined;
}
