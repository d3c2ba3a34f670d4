/** Explains why a text is too long, or contains what PostgreSQL does not store, or returns nothing. */
export function storageProblem(text: string, maxLength: number): string | undefined {
  if (text.length > maxLength)
    return `found ${text.length} characters, wanted at most ${maxLength}`;
  if (text.includes("\0") || !text.isWellFormed())
    return "found a NUL or half a surrogate pair, wanted text without them";
  return undefined;
}
