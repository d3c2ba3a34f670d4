import { SshError } from "./errors.ts";

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
