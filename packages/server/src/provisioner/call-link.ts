import type { StageTiming } from "@slipway/drivers";

import { type MessageChannel, sendPart } from "../features/provisioners/message-channel.ts";
import type {
  AnswerMessage,
  EndMessage,
  PartName,
  ProvisionerMessage,
  RequestMessage,
  ServerMessage,
} from "../features/provisioners/session-messages.ts";

export type ServerChannel = MessageChannel<ServerMessage, ProvisionerMessage>;

export type CallRequest = Omit<RequestMessage, "type" | "call" | "request">;
export type LogLines = Extract<ProvisionerMessage, { readonly type: "log" }>["lines"];

/** A call in one session: the way from a run to the attempt that it is for. */
export class CallLink {
  readonly #channel: ServerChannel;
  readonly #call: string;
  readonly #waiting = new Map<number, (answer: AnswerMessage) => void>();
  #requests = 0;

  constructor(channel: ServerChannel, call: string) {
    this.#channel = channel;
    this.#call = call;
  }

  /** Aborted when the session has ended. */
  get signal(): AbortSignal {
    return this.#channel.signal;
  }

  /** Sends a request. Rejects when the session ends before the answer. */
  async request(request: CallRequest): Promise<AnswerMessage> {
    const id = (this.#requests += 1);
    const { promise, resolve, reject } = Promise.withResolvers<AnswerMessage>();
    this.#waiting.set(id, resolve);
    const lost = (): void => reject(this.signal.reason);
    this.signal.addEventListener("abort", lost, { once: true });
    promise.catch(() => undefined);
    try {
      await this.#channel.send({ type: "request", call: this.#call, request: id, ...request });
      return await promise;
    } finally {
      this.#waiting.delete(id);
      this.signal.removeEventListener("abort", lost);
    }
  }

  sendPart(part: PartName, bytes: Uint8Array): Promise<void> {
    return sendPart(this.#channel, this.#call, part, bytes);
  }

  sendLog(lines: LogLines): Promise<void> {
    return this.#channel.send({ type: "log", call: this.#call, lines });
  }

  sendMeasured(timing: StageTiming): Promise<void> {
    return this.#channel.send({ type: "measured", call: this.#call, timing });
  }

  sendEnd(error: EndMessage["error"]): Promise<void> {
    const end = { type: "end", call: this.#call } as const;
    return this.#channel.send(error === undefined ? end : { ...end, error });
  }

  receive(answer: AnswerMessage): void {
    this.#waiting.get(answer.request)?.(answer);
  }
}
