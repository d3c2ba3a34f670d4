/** Returns what a keyboard sends for Ctrl with a letter: `C` becomes U+0003. */
export function controlCharacter(letter: string): string {
  return String.fromCharCode(letter.toUpperCase().charCodeAt(0) & 0x1f);
}
