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

/** The time after a change from which the form offers to continue without the answer. */
const patienceMs = 5000;

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
  /** True if an answer is due for so long that the form offers to continue without it. */
  readonly isOverdue: boolean;
  /** True from the loss of the connection until the next answer. */
  readonly isLost: boolean;
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
  const [delay, setDelay] = useState<Delay>();
  const [isLost, setLost] = useState(false);
  const latest = useRef(values);
  const sender = useRef<() => void>(() => {});
  useEffect(() => {
    const form = new FormSocket({ version, owner }, () => latest.current, {
      onAnswer: (response, inputs) => {
        setLost(false);
        setAnswer((before) => ({
          key: JSON.stringify(inputs),
          response: kept(before, response),
        }));
      },
      onLost: () => setLost(true),
    });
    sender.current = () => form.send();
    return () => form.close();
  }, [version, owner]);
  useEffect(() => {
    latest.current = values;
    const timers = [
      setTimeout(() => sender.current(), typingMs),
      setTimeout(() => setDelay({ key, isOverdue: false }), calmMs),
      setTimeout(() => setDelay({ key, isOverdue: true }), patienceMs),
    ];
    return () => timers.forEach(clearTimeout);
  }, [key]);
  const isCurrent = answer !== undefined && answer.key === key;
  const isLate = !isCurrent && delay !== undefined && delay.key === key;
  return {
    parameters: answer?.response.parameters,
    diagnostics: answer?.response.diagnostics ?? [],
    isCurrent,
    isLate,
    isOverdue: isLate && delay.isOverdue,
    isLost,
  };
}

/** The wait for the answer to some values. */
interface Delay {
  readonly key: string | undefined;
  readonly isOverdue: boolean;
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

interface FormEvents {
  readonly onAnswer: (answer: DynamicParametersResponse, values: ParameterValues) => void;
  /** Called when a connection is lost, or cannot be made. */
  readonly onLost: () => void;
}

/** The socket of one form, until it is closed. */
class FormSocket {
  readonly #url: string;
  readonly #owner: string | undefined;
  readonly #values: () => ParameterValues | undefined;
  readonly #events: FormEvents;
  readonly #backoff = new Backoff();
  #socket: WebSocket | undefined;
  #timer = 0;
  #lastId = 0;
  #lastValues: ParameterValues = {};
  #isClosed = false;

  constructor(
    { version, owner }: EvaluationSubject,
    values: () => ParameterValues | undefined,
    events: FormEvents,
  ) {
    this.#owner = owner;
    this.#url = client.url(followParameters, { params: { version } }).replace(/^http/, "ws");
    this.#values = values;
    this.#events = events;
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
      if (answer.id === this.#lastId) this.#events.onAnswer(answer, this.#lastValues);
    });
    socket.addEventListener("close", () => {
      if (this.#isClosed) return;
      this.#events.onLost();
      this.#timer = window.setTimeout(() => this.#open(), this.#backoff.next());
    });
  }
}
