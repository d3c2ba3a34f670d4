import { createHash, createHmac, randomInt } from "node:crypto";

import type { DerivedKey, SecretBox } from "../../platform/auth/secret-box.ts";

/** The letters of codes: no vowels, so that no words appear (RFC 8628 section 6.1). */
const alphabet = "BCDFGHJKLMNPQRSTVWXZ";
const randomLength = 8;
const checkLength = 2;
const groupLength = 5;
const keyBytes = 32;

/**
 * The codes that people compare or enter: eight random letters, and two that prove that this server made them, so that most
 * typing errors are found although no code is stored before its approval.
 */
export class DeviceCodes {
  readonly #keys: readonly [DerivedKey, ...DerivedKey[]];

  constructor(secrets: Pick<SecretBox, "derive">) {
    this.#keys = secrets.derive("device codes", keyBytes);
  }

  /** Returns a new code, such as `WDJBM-JHTKX`. */
  create(): string {
    const letters = Array.from({ length: randomLength }, () => randomInt(alphabet.length));
    const text = letters.map((letter) => alphabet.charAt(letter)).join("");
    return formatCode(`${text}${checkOf(this.#keys[0], text)}`);
  }

  /** Returns a code in its usual form, however it was entered; undefined if it is none. */
  read(text: string): string | undefined {
    const letters = text.toUpperCase().replaceAll(/[\s-]/g, "");
    if (letters.length !== randomLength + checkLength) return undefined;
    const random = letters.slice(0, randomLength);
    const isOurs = this.#keys.some((key) => checkOf(key, random) === letters.slice(randomLength));
    return isOurs ? formatCode(letters) : undefined;
  }
}

function formatCode(letters: string): string {
  return `${letters.slice(0, groupLength)}-${letters.slice(groupLength)}`;
}

function checkOf({ key }: DerivedKey, text: string): string {
  const digest = createHmac("sha256", key).update(text).digest();
  return Array.from(digest.subarray(0, checkLength), (byte) =>
    alphabet.charAt(byte % alphabet.length),
  ).join("");
}

/** Returns the hash by which an approved code is stored. */
export function hashCode(code: string): Buffer {
  return createHash("sha256").update(code).digest();
}
