import type { ServerChannel } from "ssh2";

import { channelPacketBytes, channelWindowBytes } from "./ssh2.ts";

/** The bytes that one channel may hold unread: ssh2 gives a new window as long as less than one is unread. */
const maxChannelBytes = 2 * channelWindowBytes + channelPacketBytes;
/** The bytes that all channels of a connection may hold unread. */
const maxConnectionBytes = 32 * maxChannelBytes;
/** The most that may come before we look again. */
const lookEveryBytes = 512 * 1024;

/** Notices clients that send more than they were given room for. */
export class InboundWatch {
  readonly #channels = new Set<ServerChannel>();
  #sinceLook = 0;

  /** Watches a channel until the signal is aborted. */
  add(channel: ServerChannel, ended: AbortSignal): void {
    if (ended.aborted) return;
    this.#channels.add(channel);
    ended.addEventListener("abort", () => this.#channels.delete(channel), { once: true });
  }

  /** Counts bytes that have come; true if the client is to be cut off. */
  isOverrun(bytes: number): boolean {
    this.#sinceLook += bytes;
    if (this.#sinceLook < lookEveryBytes) return false;
    this.#sinceLook = 0;
    let total = 0;
    for (const { readableLength } of this.#channels) {
      if (readableLength > maxChannelBytes + lookEveryBytes) return true;
      total += readableLength;
    }
    return total > maxConnectionBytes;
  }
}
