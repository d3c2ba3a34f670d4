import { DynamicParametersRequest } from "@slipway/api/templates/dynamic-parameters";
import type { Clock } from "@slipway/runtime";
import type { TemplateDefinition } from "@slipway/template";

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

type FormValues = Pick<DynamicParametersRequest, "id" | "inputs">;

const validate = createValidator().compile<DynamicParametersRequest>(DynamicParametersRequest);

interface FormNeeds {
  readonly definition: Pick<TemplateDefinition, "parameters">;
  readonly pace: FormPace;
  readonly userId: string;
  readonly clock: Pick<Clock, "sleep">;
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
    if (request === undefined) return socket.close(1008, "wanted JSON with id and inputs");
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
