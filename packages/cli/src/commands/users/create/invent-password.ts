const length = 24;
const alphabet = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789";

/** A password of letters and digits that are told apart by sight; about 139 bits. */
export function inventPassword(): string {
  const letters: string[] = [];
  while (letters.length < length) {
    for (const byte of crypto.getRandomValues(new Uint8Array(length))) {
      // What does not divide evenly is left out, so that no letter comes more often.
      if (byte < 256 - (256 % alphabet.length))
        letters.push(alphabet.charAt(byte % alphabet.length));
    }
  }
  return letters.slice(0, length).join("");
}
