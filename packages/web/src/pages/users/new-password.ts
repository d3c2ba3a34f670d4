/** Letters and digits without those that look alike. */
const alphabet = "abcdefghjkmnpqrstuvwxyzABCDEFGHJKMNPQRSTUVWXYZ23456789";
/** 20 characters of 54 are 115 bits. */
const length = 20;

/** Generates a password, to be shown once. `fill` fills an array with random bytes. */
export function generatePassword(
  fill: (bytes: Uint8Array<ArrayBuffer>) => Uint8Array = (bytes) => crypto.getRandomValues(bytes),
): string {
  let password = "";
  while (password.length < length) {
    for (const byte of fill(new Uint8Array(length))) {
      // Bytes above the largest multiple would make the first characters likelier.
      if (byte >= alphabet.length * 4 || password.length === length) continue;
      password += alphabet[byte % alphabet.length] ?? "";
    }
  }
  return password;
}
