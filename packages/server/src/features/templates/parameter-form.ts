import {
  DynamicParametersRequest,
  type DynamicParametersResponse,
} from "@slipway/api/templates/dynamic-parameters";
import { abortable, type Clock } from "@slipway/runtime";
import type { TemplateDefinition } from "@slipway/template";

import { Refusal, Unavailable } from "../../platform/errors/errors.ts";
import { createValidator } from "../../platform/fields/validation.ts";
import { inspectJson, parseJson } from "../../platform/http/json.ts";
import { keepAlive, messageBytes, type PeerSocket } from "../../platform/http/peer-socket.ts";
import { evaluateDefinition } from "./evaluate.ts";

/** The id of the first answer, which the server sends without a request. */
const unaskedId = -1;
/** The largest message, in bytes: values of parameters, some of which are whole files. */
export const maxFormMessageBytes = 256 * 1024;
/** The maximum number of values in a message; a form sends all of its values at each change. */
const maxValues = 10_000;
/**
 * The maximum number of messages of a form that wait for answers. Nothing is read meanwhile; one read may bring several.
 */
const maxWaiting = 100;

const malformed = "wanted JSON with id and inputs";

type FormValues = Pick<DynamicParametersRequest, "id" | "inputs">;

const validate = createValidator().compile<DynamicParametersRequest>(DynamicParametersRequest);

interface PacedForm {
  readonly pace: FormPace;
  readonly userId: string;
  readonly clock: Pick<Clock, "sleep">;
}

interface FormNeeds extends PacedForm {
  readonly definition: Pick<TemplateDefinition, "parameters">;
}

/** Answers the messages of a form one after the other until the peer disconnects. */
export async function serveForm(socket: PeerSocket, needs: FormNeeds): Promise<void> {
  keepAlive(socket);
  const gone = new Promise<void>((resolve) => {
    socket.signal.addEventListener("abort", () => resolve(), { once: true });
  });
  const waiting: FormValues[] = [{ id: unaskedId, inputs: {} }];
  let isAnswering = false;
  const answer = (): void => {
    if (isAnswering) return;
    isAnswering = true;
    socket.raw.pause();
    answerAll(socket, needs, waiting)
      .catch(() => socket.close(1011, "the answer could not be sent"))
      .finally(() => {
        isAnswering = false;
        socket.raw.resume();
      });
  };
  socket.raw.on("message", (data) => {
    const request = readRequest(Buffer.from(messageBytes(data)));
    if (request === undefined) return socket.close(1008, malformed);
    if (waiting.length >= maxWaiting) {
      return socket.close(1008, `more than ${maxWaiting} messages wait for an answer`);
    }
    waiting.push(request);
    answer();
  });
  answer();
  await gone;
}

async function answerAll(
  socket: PeerSocket,
  { definition, pace, userId, clock }: FormNeeds,
  waiting: FormValues[],
): Promise<void> {
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    await clock.sleep(pace.reserve(userId), socket.signal);
    await socket.sendText(JSON.stringify(evaluateDefinition(definition, next)));
  }
}

interface DependentFormNeeds extends PacedForm {
  readonly evaluate: (
    request: DynamicParametersRequest,
    signal: AbortSignal,
  ) => Promise<DynamicParametersResponse>;
}

/**
 * Answers a form whose parameters take time to read until the peer disconnects: after each answer the newest message, as those
 * before it are out of date. The connection is read meanwhile, so that it can tell that the peer is gone.
 */
export async function serveDependentForm(
  socket: PeerSocket,
  { evaluate, pace, userId, clock }: DependentFormNeeds,
): Promise<void> {
  keepAlive(socket);
  let newest: Buffer | undefined;
  let received = 0;
  let wake = Promise.withResolvers<void>();
  socket.raw.on("message", (data) => {
    received += 1;
    if (received > maxWaiting) {
      return socket.close(1008, `more than ${maxWaiting} messages came before an answer`);
    }
    newest = Buffer.from(messageBytes(data));
    wake.resolve();
  });
  let request: DynamicParametersRequest | undefined = { id: unaskedId, inputs: {} };
  while (request !== undefined) {
    await clock.sleep(pace.reserve(userId), socket.signal);
    try {
      await socket.sendText(JSON.stringify(await evaluate(request, socket.signal)));
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return socket.close(error instanceof Unavailable ? 1013 : 1008, error.message);
    }
    received = newest === undefined ? 0 : 1;
    await abortable(wake.promise, socket.signal);
    // What comes at once is one change, as a form is read in pieces.
    await clock.sleep(pace.reserve(userId), socket.signal);
    request = newest === undefined ? undefined : readRequest(newest);
    newest = undefined;
    wake = Promise.withResolvers();
  }
  socket.close(1008, malformed);
}

/** The interval between two answers to one user, in milliseconds, however many forms they have open. */
const answerIntervalMs = 50;
/** The number of remembered users from which those without a pending turn are dropped. */
const maxUsers = 1_000;

/**
 * Limits the rate at which a user's parameters are evaluated. A form that waits for its answers is hardly delayed; the rate
 * limit covers HTTP requests.
 */
export class FormPace {
  readonly #clock: Pick<Clock, "monotonic">;
  readonly #nextAt = new Map<string, number>();

  constructor(clock: Pick<Clock, "monotonic">) {
    this.#clock = clock;
  }

  /** Takes the user's next turn; returns the milliseconds until then. */
  reserve(userId: string): number {
    const now = this.#clock.monotonic();
    if (this.#nextAt.size >= maxUsers) {
      for (const [id, at] of this.#nextAt) if (at <= now) this.#nextAt.delete(id);
    }
    const at = Math.max(now, this.#nextAt.get(userId) ?? now);
    this.#nextAt.set(userId, at + answerIntervalMs);
    return at - now;
  }
}

function readRequest(bytes: Buffer): DynamicParametersRequest | undefined {
  try {
    const parsed = parseJson(inspectJson(bytes, maxValues));
    return validate(parsed) ? parsed : undefined;
  } catch {
    return undefined; // not JSON
  }
}
