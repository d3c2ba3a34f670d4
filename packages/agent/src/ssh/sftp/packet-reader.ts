import { SftpError, SftpStatus } from "./errors.ts";
import { lengthBytes, maxPacketBytes } from "./packet-limits.ts";
import { takeRoom } from "./packet-room.ts";

/** Cuts a stream into packets: uint32 length, then that many bytes. */
export class PacketReader {
  /** The packet that is being read, its length before it; that alone at first. */
  #packet: Buffer = Buffer.alloc(lengthBytes);
  #filled = 0;

  /** Returns copies of the packets that are complete, whose room may be given back. Throws `SftpError` "malformed". */
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
