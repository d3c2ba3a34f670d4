import { generateKeyPairSync, randomBytes } from "node:crypto";

/** A key pair in the forms of OpenSSH (docs/protocol/rest.md §2.7). */
export interface GitKeyTexts {
  /** One line as in `authorized_keys`, without a comment, with a trailing line feed. */
  readonly publicKey: string;
  /** PEM of an `openssh-key-v1` without a passphrase, with a trailing line feed. */
  readonly privateKey: string;
}

const algorithm = "ssh-ed25519";

/** Generates an ed25519 key pair. */
export function createGitKey(): GitKeyTexts {
  const { d = "", x = "" } = generateKeyPairSync("ed25519").privateKey.export({ format: "jwk" });
  const seed = Buffer.from(d, "base64url");
  const point = Buffer.from(x, "base64url");
  return encodeGitKey(seed, point, randomBytes(4));
}

/**
 * Encodes both texts of a key from its 32-byte seed and 32-byte public point (PROTOCOL.key of OpenSSH):
 *
 *   "openssh-key-v1\0" · cipher "none" · kdf "none" · kdf options "" · number of keys 1 · public key
 *     · [check(4) · check(4) · algorithm · point · seed and point · comment "" · padding 1, 2, 3, … to 8 bytes]
 */
export function encodeGitKey(seed: Uint8Array, point: Uint8Array, check: Uint8Array): GitKeyTexts {
  const publicKey = Buffer.concat([text(algorithm), text(point)]);
  const secret = Buffer.concat([
    check,
    check,
    publicKey,
    text(Buffer.concat([seed, point])),
    text(""),
  ]);
  const padding = Uint8Array.from(
    { length: (blockBytes - (secret.length % blockBytes)) % blockBytes },
    (_, index) => index + 1,
  );
  const bytes = Buffer.concat([
    Buffer.from("openssh-key-v1\0"),
    text("none"),
    text("none"),
    text(""),
    number(1),
    text(publicKey),
    text(Buffer.concat([secret, padding])),
  ]);
  return {
    publicKey: `${algorithm} ${publicKey.toString("base64")}\n`,
    privateKey: pem(bytes.toString("base64")),
  };
}

/** The block size of the cipher "none". */
const blockBytes = 8;
const pemColumns = 64;

function pem(base64: string): string {
  const lines = base64.match(new RegExp(`.{1,${pemColumns}}`, "g")) ?? [];
  return [
    "-----BEGIN OPENSSH PRIVATE KEY-----",
    ...lines,
    "-----END OPENSSH PRIVATE KEY-----",
    "",
  ].join("\n");
}

function number(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** Returns a four-byte length followed by the value. */
function text(value: string | Uint8Array): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([number(bytes.length), bytes]);
}
