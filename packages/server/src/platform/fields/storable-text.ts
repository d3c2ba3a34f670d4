/**
 * Finds text in a value that PostgreSQL cannot store: the character U+0000, or a lone surrogate. Returns undefined if
 * there is none, otherwise the keys joined by dots, empty for the value itself.
 */
export function unstorableField(value: unknown): string | undefined {
  if (typeof value === "string") return isStorable(value) ? undefined : "";
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return undefined;
  for (const [key, member] of Object.entries(value)) {
    if (!isStorable(key)) return "";
    const inner = unstorableField(member);
    if (inner !== undefined) return inner === "" ? key : `${key}.${inner}`;
  }
  return undefined;
}

/**
 * Returns a text that PostgreSQL stores, also in JSON: without NUL, and with U+FFFD for each lone surrogate, which a cut leaves
 * too. A sender of another text would be refused forever.
 */
export function storableText(text: string): string {
  return text.replaceAll("\0", "").toWellFormed();
}

function isStorable(text: string): boolean {
  return !text.includes("\0") && text.isWellFormed();
}
