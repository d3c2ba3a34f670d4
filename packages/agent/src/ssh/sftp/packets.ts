import { SftpError, SftpStatus } from "./errors.ts";

/** The maximum length of a packet, as in OpenSSH. */
export const maxPacketBytes = 256 * 1024;

/** The length before a packet. */
export const lengthBytes = 4;

/** Cuts a stream into packets: uint32 length, then that many bytes. */
export class PacketReader {
  /** The packet that is being read, after its length; at first only the length. */
  #packet: Buffer = Buffer.alloc(lengthBytes);
  #filled = 0;

  /** Returns copies of the complete packets; the caller may give back their room. Throws `SftpError` "malformed". */
  receive(chunk: Buffer): Buffer[] {
    const packets: Buffer[] = [];
    for (let rest = chunk; rest.length > 0;) {
      const copied = rest.copy(this.#packet, this.#filled);
      this.#filled += copied;
      rest = rest.subarray(copied);
      if (this.#filled < this.#packet.length) break;
      if (this.#filled === lengthBytes) this.#makeRoom();
      else packets.push(this.#take());
    }
    return packets;
  }

  #makeRoom(): void {
    const length = this.#packet.readUInt32BE();
    if (length < 1 || length > maxPacketBytes) {
      throw new SftpError(
        SftpStatus.badMessage,
        `packet of ${length} bytes, wanted 1 to ${maxPacketBytes}`,
        "malformed",
      );
    }
    const packet = takeRoom(lengthBytes + length);
    this.#packet.copy(packet);
    this.#packet = packet;
  }

  #take(): Buffer {
    const packet = this.#packet.subarray(lengthBytes);
    this.#packet = Buffer.alloc(lengthBytes);
    this.#filled = 0;
    return packet;
  }
}

/** The size above which room is reused. */
const largeBytes = 64 * 1024;
/** The maximum number of spare rooms of all clients together: one is filled while another is sent. */
const maxSpares = 2;

const spares: Buffer[] = [];

/** Returns uninitialized room for a packet with its length. The caller may give it back. */
export function takeRoom(bytes: number): Buffer {
  if (bytes < largeBytes) return Buffer.allocUnsafe(bytes);
  const room = spares.pop() ?? Buffer.allocUnsafeSlow(lengthBytes + maxPacketBytes);
  return room.subarray(0, bytes);
}

/** Takes back the room of a packet, or of a part of it, that is no longer used. */
export function giveRoomBack({ buffer }: Buffer): void {
  const isLarge = buffer.byteLength === lengthBytes + maxPacketBytes;
  if (isLarge && spares.length < maxSpares) spares.push(Buffer.from(buffer));
}
