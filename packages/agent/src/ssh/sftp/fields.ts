import { SftpError, SftpStatus } from "./errors.ts";

/** Attributes of a file, each absent if unspecified. */
export interface Attributes {
  readonly size?: number;
  readonly owner?: { readonly uid: number; readonly gid: number };
  readonly mode?: number;
  /** In seconds. */
  readonly times?: { readonly accessed: number; readonly modified: number };
}

const flags = { size: 1, owner: 2, mode: 4, times: 8, extended: 0x80000000 } as const;

/** Reads the fields of a packet one after the other. Throws `SftpError`: "malformed" at its end. */
export class FieldReader {
  readonly #packet: Buffer;
  #at: number;

  constructor(packet: Buffer, at: number) {
    this.#packet = packet;
    this.#at = at;
  }

  uint32(): number {
    return this.#packet.readUInt32BE(this.#advance(4));
  }

  uint64(): number {
    const value = this.#packet.readBigUInt64BE(this.#advance(8));
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) {
      throw new SftpError(SftpStatus.failure, "a number above 2^53");
    }
    return Number(value);
  }

  /** Returns a view of the packet. */
  bytes(): Buffer {
    const length = this.uint32();
    const start = this.#advance(length);
    return this.#packet.subarray(start, start + length);
  }

  text(): string {
    return this.bytes().toString();
  }

  attributes(): Attributes {
    const present = this.uint32();
    const has = (flag: number): boolean => (present & flag) !== 0;
    const size = has(flags.size) ? { size: this.uint64() } : {};
    const owner = has(flags.owner) ? { owner: { uid: this.uint32(), gid: this.uint32() } } : {};
    const mode = has(flags.mode) ? { mode: this.uint32() } : {};
    const times = has(flags.times)
      ? { times: { accessed: this.uint32(), modified: this.uint32() } }
      : {};
    if (has(flags.extended)) {
      for (let left = this.uint32(); left > 0; left -= 1) {
        this.bytes();
        this.bytes();
      }
    }
    return { ...size, ...owner, ...mode, ...times };
  }

  #advance(length: number): number {
    const at = this.#at;
    if (at + length > this.#packet.length) throw malformed("a packet ends too early");
    this.#at += length;
    return at;
  }
}

export function uint32(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

export function uint64(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
}

/** Encodes bytes after their length. */
export function text(value: string | Buffer): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([uint32(bytes.length), bytes]);
}

/** Encodes all attributes of a file. */
export function encodeAttributes({ size, owner, mode, times }: Required<Attributes>): Buffer {
  return Buffer.concat([
    uint32(flags.size | flags.owner | flags.mode | flags.times),
    uint64(size),
    uint32(owner.uid),
    uint32(owner.gid),
    uint32(mode),
    uint32(times.accessed),
    uint32(times.modified),
  ]);
}

function malformed(message: string): SftpError {
  return new SftpError(SftpStatus.badMessage, message, "malformed");
}
