import { GrowingBuffer } from "../bytes/growing-buffer.ts";
import { parseFrame } from "./frame.ts";
import { PacketAssembly } from "./packet.ts";
import type { DrpcPacket } from "./packet.ts";

/**
 * Cuts a byte stream, in chunks of any size, into packets. It holds at most one frame and one packet, so somewhat
 * more than twice `maxPacketBytes`, and at most double that while they grow.
 */
export class PacketReader {
  /** The beginning of a frame. */
  readonly #waiting = new GrowingBuffer();
  /** The number of bytes below which another look is useless. */
  #wantedBytes = 1;
  readonly #assembly = new PacketAssembly();

  /** The bytes of an incomplete packet. */
  get waitingBytes(): number {
    return this.#waiting.length + this.#assembly.waitingBytes;
  }

  /** Returns the packets that are complete with `chunk`; their data may be views of it. Throws `DrpcError`. */
  *read(chunk: Uint8Array): Generator<DrpcPacket, void, undefined> {
    let bytes = chunk;
    if (this.#waiting.length > 0) {
      this.#waiting.append(chunk);
      if (this.#waiting.length < this.#wantedBytes) return;
      bytes = this.#waiting.take();
    }
    let at = 0;
    for (;;) {
      const parsed = parseFrame(bytes, at);
      if (parsed.type === "incomplete") {
        this.#waiting.append(bytes.subarray(at));
        this.#wantedBytes = parsed.wantedBytes;
        return;
      }
      at = parsed.next;
      const packet = this.#assembly.receive(parsed.frame);
      if (packet !== undefined) yield packet;
    }
  }
}
