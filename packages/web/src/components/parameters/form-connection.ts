import type {
  DynamicParametersRequest,
  DynamicParametersResponse,
} from "@slipway/api/templates/dynamic-parameters";
import { evaluateParameters, followParameters } from "@slipway/api/templates/parameter-routes";
import { Backoff } from "@slipway/runtime";
import { ConnectError } from "@slipway/sdk/http";

import { client } from "../../api/client.ts";
import type { ParameterValues } from "./parameter-values.ts";

/** The number of sockets in a row that may end without an answer before the form does without them. */
const maxSilentSockets = 2;
/** The time after which a socket that has not opened is given up, in milliseconds. */
const openTimeoutMs = 3_000;

/** The workspace of a form. */
export interface EvaluationSubject {
  readonly version: string;
  /** The id of the owner; undefined for the user. */
  readonly owner: string | undefined;
}

interface FormEvents {
  readonly onAnswer: (answer: DynamicParametersResponse, values: ParameterValues) => void;
  /** Called when a connection is lost, or cannot be made. */
  readonly onLost: () => void;
}

/**
 * Sends the values of one form to be evaluated, until it is closed: over a socket, which is opened again when it is lost. Where
 * sockets do not work, as behind a proxy that strips upgrades, each change is a request instead, for the rest of the form's life.
 */
export class FormConnection {
  readonly #subject: EvaluationSubject;
  readonly #values: () => ParameterValues | undefined;
  readonly #events: FormEvents;
  readonly #backoff = new Backoff();
  #socket: WebSocket | undefined;
  #silentSockets = 0;
  #request: AbortController | undefined;
  #timer = 0;
  #lastId = 0;
  #lastValues: ParameterValues = {};
  #isClosed = false;

  constructor(
    subject: EvaluationSubject,
    values: () => ParameterValues | undefined,
    events: FormEvents,
  ) {
    this.#subject = subject;
    this.#values = values;
    this.#events = events;
    this.#open();
  }

  /** Sends the values; without a connection they are sent once there is one. */
  send(): void {
    const values = this.#values();
    if (values === undefined) return;
    if (this.#silentSockets >= maxSilentSockets) return void this.#ask(values);
    if (this.#socket?.readyState !== WebSocket.OPEN) return;
    this.#socket.send(JSON.stringify(this.#requestFor(values)));
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#socket?.close();
    this.#request?.abort();
  }

  #requestFor(values: ParameterValues): DynamicParametersRequest {
    const { owner } = this.#subject;
    this.#lastId += 1;
    this.#lastValues = values;
    return {
      id: this.#lastId,
      inputs: { ...values },
      ...(owner === undefined ? {} : { owner_id: owner }),
    };
  }

  #open(): void {
    const { version } = this.#subject;
    const url = client.url(followParameters, { params: { version } });
    const socket = new WebSocket(url.replace(/^http/, "ws"));
    this.#socket = socket;
    let hasAnswered = false;
    const late = setTimeout(() => {
      this.#silentSockets = maxSilentSockets;
      socket.close();
    }, openTimeoutMs);
    socket.addEventListener("open", () => {
      clearTimeout(late);
      this.send();
    });
    socket.addEventListener("message", ({ data }: MessageEvent<string>) => {
      if (this.#isClosed) return;
      hasAnswered = true;
      this.#silentSockets = 0;
      this.#backoff.reset();
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- messages are trusted to follow the contract
      const answer = JSON.parse(data) as DynamicParametersResponse;
      // An answer to older values would take back what was entered since.
      if (answer.id === this.#lastId) this.#events.onAnswer(answer, this.#lastValues);
    });
    socket.addEventListener("close", () => {
      clearTimeout(late);
      if (this.#isClosed) return;
      if (!hasAnswered) this.#silentSockets += 1;
      if (this.#silentSockets >= maxSilentSockets) return this.send();
      this.#events.onLost();
      this.#timer = window.setTimeout(() => this.#open(), this.#backoff.next());
    });
  }

  /** Sends the values by a request, in place of the one before; repeats it until it is answered. */
  async #ask(values: ParameterValues): Promise<void> {
    const { version } = this.#subject;
    this.#request?.abort();
    clearTimeout(this.#timer);
    const { signal } = (this.#request = new AbortController());
    const body = this.#requestFor(values);
    try {
      const answer = await client.call(evaluateParameters, { params: { version }, body, signal });
      if (signal.aborted) return;
      this.#backoff.reset();
      this.#events.onAnswer(answer, values);
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof ConnectError) this.#events.onLost();
      this.#timer = window.setTimeout(() => this.send(), this.#backoff.next());
    }
  }
}
