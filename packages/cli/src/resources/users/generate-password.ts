const length = 24;
const alphabet = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789";

/** Generates a password of visually distinct letters and digits; about 139 bits. */
export function generatePassword(): string {
  const letters: string[] = [];
  while (letters.length < length) {
    for (const byte of crypto.getRandomValues(new Uint8Array(length))) {
      // The uneven remainder is left out, so that no letter is more likely.
      if (byte < 256 - (256 % alphabet.length))
        letters.push(alphabet.charAt(byte % alphabet.length));
    }
  }
  return letters.slice(0, length).join("");
}
