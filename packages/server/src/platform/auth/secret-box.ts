import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createSecretKey,
  hkdfSync,
  type KeyObject,
  randomBytes,
} from "node:crypto";

import { CodedError, countText } from "@slipway/runtime";

/** A failure to decrypt a secret: its key is not among those configured, or it was tampered with. */
export class SecretError extends CodedError<
  "unknown-key" | "tampered" | "malformed" | "discarded"
> {
  override readonly name = "SecretError";
}

const version = 1;
const keyIdBytes = 4;
const nonceBytes = 12;
const tagBytes = 16;
const headerBytes = 1 + keyIdBytes + nonceBytes;

interface Key {
  readonly id: Buffer;
  readonly key: Buffer;
}

/** A key for one purpose, and the id by which a reader finds it. */
export interface DerivedKey {
  readonly id: string;
  readonly key: KeyObject;
}

/**
 * Encrypts secrets for the database with AES-256-GCM. The first key encrypts, all decrypt.
 *
 *   version(1) · key id(4) · nonce(12) · ciphertext · tag(16)
 */
export class SecretBox {
  readonly #keys: readonly [Key, ...Key[]];

  constructor(secrets: readonly [string, ...string[]]) {
    const [first, ...rest] = secrets;
    this.#keys = [deriveKey(first), ...rest.map(deriveKey)];
  }

  /** The prefix of all values encrypted with the newest key. */
  get newestPrefix(): Buffer {
    return prefixOf(this.#keys[0]);
  }

  /** The prefixes of all values that it can decrypt. */
  get prefixes(): readonly Buffer[] {
    return this.#keys.map(prefixOf);
  }

  /** Derives keys for another purpose; the first signs or encrypts, all verify or decrypt. */
  derive(purpose: string, bytes: number): readonly [DerivedKey, ...DerivedKey[]] {
    const derive = ({ id, key }: Key): DerivedKey => ({
      id: id.toString("hex"),
      key: createSecretKey(Buffer.from(hkdfSync("sha256", key, "", `slipway ${purpose}`, bytes))),
    });
    const [first, ...rest] = this.#keys;
    return [derive(first), ...rest.map(derive)];
  }

  seal(secret: string): Buffer {
    const [{ id, key }] = this.#keys;
    const nonce = randomBytes(nonceBytes);
    const cipher = createCipheriv("aes-256-gcm", key, nonce);
    const text = Buffer.concat([cipher.update(secret, "utf8"), cipher.final()]);
    return Buffer.concat([Buffer.of(version), id, nonce, text, cipher.getAuthTag()]);
  }

  /** Decrypts a value. Throws `SecretError`. */
  open(sealed: Uint8Array): string {
    const bytes = Buffer.from(sealed);
    if (bytes.length < headerBytes + tagBytes || bytes[0] !== version) {
      throw new SecretError(
        "malformed",
        `sealed secret of ${countText(bytes.length, "byte")} has no known form`,
      );
    }
    const id = bytes.subarray(1, 1 + keyIdBytes);
    const key = this.#keys.find((candidate) => candidate.id.equals(id))?.key;
    if (key === undefined) {
      const wanted = id.toString("hex");
      throw new SecretError(
        "unknown-key",
        `secret was sealed with key ${wanted}, which is not configured`,
      );
    }
    const decipher = createDecipheriv(
      "aes-256-gcm",
      key,
      bytes.subarray(1 + keyIdBytes, headerBytes),
    );
    decipher.setAuthTag(bytes.subarray(-tagBytes));
    try {
      const text = decipher.update(bytes.subarray(headerBytes, -tagBytes));
      return Buffer.concat([text, decipher.final()]).toString("utf8");
    } catch {
      throw new SecretError("tampered", "sealed secret does not verify");
    }
  }
}

function prefixOf({ id }: Key): Buffer {
  return Buffer.concat([Buffer.of(version), id]);
}

/** Returns the id of the key in a prefix, for people. */
export function keyIdOf(prefix: Buffer): string {
  return prefix.subarray(1, 1 + keyIdBytes).toString("hex");
}

function deriveKey(secret: string): Key {
  const key = createHash("sha256").update("slipway secret key\0").update(secret).digest();
  const id = createHash("sha256")
    .update("slipway key id\0")
    .update(key)
    .digest()
    .subarray(0, keyIdBytes);
  return { id, key };
}
