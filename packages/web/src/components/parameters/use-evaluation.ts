import type {
  DynamicParametersRequest,
  DynamicParametersResponse,
  EvaluatedParameter,
} from "@slipway/api/templates/dynamic-parameters";
import { followParameters } from "@slipway/api/templates/parameter-routes";
import { Backoff } from "@slipway/runtime";
import { useEffect, useRef, useState } from "react";

import { client } from "../../api/client.ts";
import type { ParameterValues } from "./parameter-values.ts";

/** The time after a change at which the values are evaluated. */
const typingMs = 150;

/** The time after a change from which the form says that it waits for the answer. */
const calmMs = 300;

/** The parameters of a version for the values of a form, as the server evaluates them. */
export interface Evaluation {
  /** Undefined until the first answer. */
  readonly parameters: readonly EvaluatedParameter[] | undefined;
  /** The problems with the template rather than with one value. */
  readonly diagnostics: DynamicParametersResponse["diagnostics"];
  /** True if the answer is for the present values. */
  readonly isCurrent: boolean;
  /** True if an answer is due for so long that the form should say so. */
  readonly isLate: boolean;
}

/** The workspace of a form. */
interface EvaluationSubject {
  readonly version: string;
  /** The id of the owner; undefined for the user. */
  readonly owner: string | undefined;
}

/**
 * Evaluates the parameters of a version with these values, once they are known. The values are sent after each change, over one
 * socket, which is opened again when it is lost.
 */
export function useEvaluation(
  { version, owner }: EvaluationSubject,
  values: ParameterValues | undefined,
): Evaluation {
  const key = JSON.stringify(values);
  const [answer, setAnswer] = useState<FormAnswer>();
  const [lateKey, setLateKey] = useState<string>();
  const latest = useRef(values);
  const sender = useRef<() => void>(() => {});
  useEffect(() => {
    const form = new FormSocket(
      { version, owner },
      () => latest.current,
      (response, inputs) =>
        setAnswer((before) => ({ key: JSON.stringify(inputs), response: kept(before, response) })),
    );
    sender.current = () => form.send();
    return () => form.close();
  }, [version, owner]);
  useEffect(() => {
    latest.current = values;
    const timer = setTimeout(() => sender.current(), typingMs);
    const late = setTimeout(() => setLateKey(key), calmMs);
    return () => {
      clearTimeout(timer);
      clearTimeout(late);
    };
  }, [key]);
  const isCurrent = answer !== undefined && answer.key === key;
  return {
    parameters: answer?.response.parameters,
    diagnostics: answer?.response.diagnostics ?? [],
    isCurrent,
    isLate: !isCurrent && lateKey === key,
  };
}

interface FormAnswer {
  readonly response: DynamicParametersResponse;
  /** The values that it answers. */
  readonly key: string;
}

/** Keeps the parameters of the answer before one that could not tell them. */
function kept(
  before: FormAnswer | undefined,
  response: DynamicParametersResponse,
): DynamicParametersResponse {
  const hasFailed = response.diagnostics.some(({ extra }) => extra.code === "evaluation_failed");
  if (!hasFailed || before === undefined) return response;
  return { ...response, parameters: before.response.parameters };
}

/** The socket of one form, until it is closed. */
class FormSocket {
  readonly #url: string;
  readonly #owner: string | undefined;
  readonly #values: () => ParameterValues | undefined;
  readonly #onAnswer: (answer: DynamicParametersResponse, values: ParameterValues) => void;
  readonly #backoff = new Backoff();
  #socket: WebSocket | undefined;
  #timer = 0;
  #lastId = 0;
  #lastValues: ParameterValues = {};
  #isClosed = false;

  constructor(
    { version, owner }: EvaluationSubject,
    values: () => ParameterValues | undefined,
    onAnswer: (answer: DynamicParametersResponse, values: ParameterValues) => void,
  ) {
    this.#owner = owner;
    this.#url = client.url(followParameters, { params: { version } }).replace(/^http/, "ws");
    this.#values = values;
    this.#onAnswer = onAnswer;
    this.#open();
  }

  /** Sends the values; without a connection they are sent once there is one. */
  send(): void {
    const values = this.#values();
    if (this.#socket?.readyState !== WebSocket.OPEN || values === undefined) return;
    this.#lastId += 1;
    this.#lastValues = values;
    const request: DynamicParametersRequest = {
      id: this.#lastId,
      inputs: { ...values },
      ...(this.#owner === undefined ? {} : { owner_id: this.#owner }),
    };
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
      if (answer.id === this.#lastId) this.#onAnswer(answer, this.#lastValues);
    });
    socket.addEventListener("close", () => {
      if (this.#isClosed) return;
      this.#timer = window.setTimeout(() => this.#open(), this.#backoff.next());
    });
  }
}
