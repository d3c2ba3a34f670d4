const escapes: Readonly<Record<string, string>> = {
  "<": String.raw`\u003c`,
  ">": String.raw`\u003e`,
  "&": String.raw`\u0026`,
  "\u2028": String.raw`\u2028`,
  "\u2029": String.raw`\u2029`,
};

/** Encodes JSON as the original does: safe inside HTML, with one line feed at the end (docs/protocol/rest.md §1.6). */
export function encodeJson(value: unknown): string {
  const text = JSON.stringify(value ?? null);
  return `${text.replaceAll(/[<>&\u2028\u2029]/g, (character) => escapes[character] ?? character)}\n`;
}
