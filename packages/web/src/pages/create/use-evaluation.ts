import type {
  DynamicParametersRequest,
  DynamicParametersResponse,
  EvaluatedParameter,
} from "@slipway/api/templates/dynamic-parameters";
import { followParameters } from "@slipway/api/templates/parameter-routes";
import { Backoff } from "@slipway/runtime";
import { useEffect, useRef, useState } from "react";

import { client } from "../../api/client.ts";
import type { FormValues } from "./form-values.ts";

/** The time after a change at which the values are evaluated. */
const typingMs = 150;

/**
 * Returns the parameters of a version as the server evaluates them with these values: undefined until it has. The values
 * are sent after each change, over one socket, which is opened again when it is lost.
 */
export function useEvaluation(
  version: string,
  values: FormValues,
): readonly EvaluatedParameter[] | undefined {
  const [answer, setAnswer] = useState<DynamicParametersResponse>();
  const latest = useRef(values);
  const sender = useRef<() => void>(() => {});
  useEffect(() => {
    const form = new FormSocket(version, () => latest.current, setAnswer);
    sender.current = () => form.send();
    return () => form.close();
  }, [version]);
  useEffect(() => {
    latest.current = values;
    const timer = setTimeout(() => sender.current(), typingMs);
    return () => clearTimeout(timer);
  }, [values]);
  return answer?.parameters;
}

/** The socket of one form, until it is closed. */
class FormSocket {
  readonly #url: string;
  readonly #values: () => FormValues;
  readonly #onAnswer: (answer: DynamicParametersResponse) => void;
  readonly #backoff = new Backoff();
  #socket: WebSocket | undefined;
  #timer = 0;
  #lastId = 0;
  #isClosed = false;

  constructor(
    version: string,
    values: () => FormValues,
    onAnswer: (answer: DynamicParametersResponse) => void,
  ) {
    this.#url = client.url(followParameters, { params: { version } }).replace(/^http/, "ws");
    this.#values = values;
    this.#onAnswer = onAnswer;
    this.#open();
  }

  /** Sends the values; without a connection they are sent once there is one. */
  send(): void {
    if (this.#socket?.readyState !== WebSocket.OPEN) return;
    this.#lastId += 1;
    const request: DynamicParametersRequest = { id: this.#lastId, inputs: { ...this.#values() } };
    this.#socket.send(JSON.stringify(request));
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#socket?.close();
  }

  #open(): void {
    const socket = new WebSocket(this.#url);
    this.#socket = socket;
    socket.addEventListener("open", () => this.send());
    socket.addEventListener("message", ({ data }: MessageEvent<string>) => {
      if (this.#isClosed) return;
      this.#backoff.reset();
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- messages are trusted to follow the contract
      const answer = JSON.parse(data) as DynamicParametersResponse;
      // An answer to older values would take back what was entered since.
      if (answer.id === this.#lastId) this.#onAnswer(answer);
    });
    socket.addEventListener("close", () => {
      if (this.#isClosed) return;
      this.#timer = window.setTimeout(() => this.#open(), this.#backoff.next());
    });
  }
}
