import { createHash, createPrivateKey, createPublicKey } from "node:crypto";

/** The names from which a host key is derived. */
export interface HostNames {
  readonly ownerName: string;
  readonly workspaceName: string;
  readonly agentName: string;
}

/** PKCS#8 (RFC 8410) before the 32 bytes of an Ed25519 key. */
const pkcs8Prefix = Buffer.from("302e020100300506032b657004220420", "hex");
/** The length of the key at the end of SubjectPublicKeyInfo. */
const publicKeyBytes = 32;
const keyType = "ssh-ed25519";
/** The private part is padded to a multiple of this. */
const blockBytes = 8;

/**
 * Derives the host key of an agent, in OpenSSH's format. It depends only on the names, not on the machine, as clients expect
 * (docs/protocol/agent.md §6.1). It is not a secret and proves nothing: the network has authenticated both ends.
 */
export function deriveHostKey({ ownerName, workspaceName, agentName }: HostNames): string {
  const names = ["ssh host key", ownerName, workspaceName, agentName].join("\0");
  const seed = createHash("sha256").update(names).digest();
  const der = Buffer.concat([pkcs8Prefix, seed]);
  const privateKey = createPrivateKey({ key: der, format: "der", type: "pkcs8" });
  const publicKey = createPublicKey(privateKey)
    .export({ format: "der", type: "spki" })
    .subarray(-publicKeyBytes);
  return armor(encodeOpenSshKey(seed, publicKey));
}

/**
 *     "openssh-key-v1\0" | cipher "none" | kdf "none" | kdf options "" | 1 key | public | private
 *     private = check, check | type | public key | seed and public key | comment | 1, 2, 3, … to a whole block
 */
function encodeOpenSshKey(seed: Buffer, publicKey: Buffer): Buffer {
  const check = uint32(0);
  const secret = Buffer.concat([
    check,
    check,
    text(keyType),
    text(publicKey),
    text(Buffer.concat([seed, publicKey])),
    text(""),
  ]);
  const missing = (blockBytes - (secret.length % blockBytes)) % blockBytes;
  const padding = Buffer.from(Array.from({ length: missing }, (_, index) => index + 1));
  return Buffer.concat([
    Buffer.from("openssh-key-v1\0"),
    text("none"),
    text("none"),
    text(""),
    uint32(1),
    text(Buffer.concat([text(keyType), text(publicKey)])),
    text(Buffer.concat([secret, padding])),
  ]);
}

function armor(key: Buffer): string {
  const lines = key.toString("base64").match(/.{1,70}/g) ?? [];
  const name = "OPENSSH PRIVATE KEY";
  return [`-----BEGIN ${name}-----`, ...lines, `-----END ${name}-----`, ""].join("\n");
}

function text(value: string | Buffer): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([uint32(bytes.length), bytes]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
