import { SftpError, SftpStatus } from "./errors.ts";

/** The longest packet, as in OpenSSH. */
export const maxPacketBytes = 256 * 1024;

const lengthBytes = 4;

/** Cuts a stream into packets: uint32 length, then that many bytes. */
export class PacketReader {
  #buffered: Buffer[] = [];
  #bytes = 0;

  /** Returns the packets that are complete; they may be views of the chunks. Throws `SftpError` "malformed". */
  receive(chunk: Buffer): Buffer[] {
    this.#buffered.push(chunk);
    this.#bytes += chunk.length;
    const packets: Buffer[] = [];
    for (let packet = this.#take(); packet !== undefined; packet = this.#take()) {
      packets.push(packet);
    }
    return packets;
  }

  #take(): Buffer | undefined {
    if (this.#bytes < lengthBytes) return undefined;
    const length = this.#peekLength();
    if (length < 1 || length > maxPacketBytes) {
      throw new SftpError(
        SftpStatus.badMessage,
        `packet of ${length} bytes, wanted 1 to ${maxPacketBytes}`,
        "malformed",
      );
    }
    const end = lengthBytes + length;
    if (this.#bytes < end) return undefined;
    const all = this.#joined();
    this.#buffered = [all.subarray(end)];
    this.#bytes -= end;
    return all.subarray(lengthBytes, end);
  }

  #peekLength(): number {
    const [first] = this.#buffered;
    const head = first !== undefined && first.length >= lengthBytes ? first : this.#joined();
    return head.readUInt32BE();
  }

  #joined(): Buffer {
    const [first] = this.#buffered;
    if (first !== undefined && this.#buffered.length === 1) return first;
    const all = Buffer.concat(this.#buffered);
    this.#buffered = [all];
    return all;
  }
}
