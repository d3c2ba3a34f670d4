import type { ServerChannel } from "ssh2";

import { SshError } from "./errors.ts";
import { channelPacketBytes, channelWindowBytes, joinUnread } from "./ssh2/ssh2.ts";

/** The maximum unread bytes of a channel: ssh2 grants a new window while less than one is unread. */
const maxChannelBytes = 2 * channelWindowBytes + channelPacketBytes;
/** The maximum unread bytes of all channels of a connection. */
const maxConnectionBytes = 32 * maxChannelBytes;
/** The bytes between two checks. */
const lookEveryBytes = 512 * 1024;

/** The maximum number of small unread pieces of a channel: each takes far more memory than its few bytes. */
const maxSmallPieces = 1024;
/** The average size above which pieces need not be joined. */
const largePieceBytes = 4096;

/** Detects clients that exceed their windows, and joins the small pieces that they send. */
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

  /** Counts received bytes. Returns true if the client exceeds its windows. */
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

/**
 * The maximum number of global requests that wait while an earlier one is unanswered, as answers must keep their
 * order.
 */
export const maxWaitingRequests = 1024;

/** Refuses messages for which ssh2 would allocate memory without a limit. */
export class MessageGuard {
  readonly #isAnswering: () => boolean;
  #waiting = 0;

  /** `isAnswering` reports whether a global request is unanswered. */
  constructor(isAnswering: () => boolean) {
    this.#isAnswering = isAnswering;
  }

  /** Throws `SshError` "refused" if the connection must end. */
  check([type = 0]: Uint8Array): void {
    switch (type) {
      case message.authenticationAnswer:
        // ssh2 allocates room for as many answers as the message names, although the agent asks nothing.
        throw new SshError("refused", "answer without a question");
      case message.globalRequest:
        this.#waiting = this.#isAnswering() ? this.#waiting + 1 : 0;
        if (this.#waiting > maxWaitingRequests) {
          throw new SshError("refused", `more than ${maxWaitingRequests} unanswered requests`);
        }
    }
  }
}
