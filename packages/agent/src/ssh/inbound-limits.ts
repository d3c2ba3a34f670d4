import type { ServerChannel } from "ssh2";

import { SshError } from "./errors.ts";
import { channelPacketBytes, channelWindowBytes, joinUnread } from "./ssh2/ssh2.ts";

/** The bytes that one channel may hold unread: ssh2 gives a new window as long as less than one is unread. */
const maxChannelBytes = 2 * channelWindowBytes + channelPacketBytes;
/** The bytes that all channels of a connection may hold unread. */
const maxConnectionBytes = 32 * maxChannelBytes;
/** The most that may come before we look again. */
const lookEveryBytes = 512 * 1024;

/** Small pieces that a channel may hold unread: each takes far more memory than its few bytes. */
const maxSmallPieces = 1024;
/** The average size from which pieces are large enough. */
const largePieceBytes = 4096;

/** Notices clients that send more than they were given room for, and joins what they send in small pieces. */
export class InboundWatch {
  readonly #channels = new Set<ServerChannel>();
  #sinceLook = 0;

  /** Watches a channel until the signal is aborted. */
  add(channel: ServerChannel, ended: AbortSignal): void {
    if (ended.aborted) return;
    this.#channels.add(channel);
    joinSmallPieces(channel);
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

function joinSmallPieces(channel: ServerChannel): void {
  const push = channel.push.bind(channel);
  let pieces = 0;
  channel.push = (...piece): boolean => {
    const hasRoom = push(...piece);
    pieces = channel.readableLength === 0 ? 0 : pieces + 1;
    if (pieces > maxSmallPieces && channel.readableLength < pieces * largePieceBytes) {
      joinUnread(channel);
      pieces = 1;
    }
    return hasRoom;
  };
}

/** The numbers of messages (RFC 4250, 4.1.2). */
const message = { authenticationAnswer: 61, globalRequest: 80 } as const;

/** The global requests that a client may send while an earlier one is not answered; answers keep their order. */
export const maxWaitingRequests = 1024;

/** Refuses messages that ssh2 would keep or make room for without a limit. */
export class MessageGuard {
  readonly #isAnswering: () => boolean;
  #waiting = 0;

  /** `isAnswering` reports whether a global request is still to be answered. */
  constructor(isAnswering: () => boolean) {
    this.#isAnswering = isAnswering;
  }

  /** Throws `SshError` "refused" if the connection must end. */
  check([type = 0]: Uint8Array): void {
    switch (type) {
      case message.authenticationAnswer:
        // It names the number of its answers, which ssh2 makes room for; and we ask nothing.
        throw new SshError("refused", "an answer to no question");
      case message.globalRequest:
        this.#waiting = this.#isAnswering() ? this.#waiting + 1 : 0;
        if (this.#waiting > maxWaitingRequests) {
          throw new SshError("refused", `more than ${maxWaitingRequests} unanswered requests`);
        }
    }
  }
}
