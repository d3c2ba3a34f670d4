import { DriverError } from "@slipway/drivers";
import { errorText } from "@slipway/runtime";
import type { ParameterDefinition } from "@slipway/template";

import type { Platform } from "../../platform/platform.ts";
import { topics } from "../../platform/pubsub/pubsub.ts";
import { watch } from "../../platform/pubsub/watch.ts";
import type { ProvisionerQuestion } from "../templates/parameter-service.ts";
import {
  type AskedReading,
  deleteReading,
  insertReading,
  selectReading,
} from "./reading-queries.ts";

/** The time for an answer, which includes the wait for other questions to the same provisioner. */
const maxMs = 60_000;
/** The time between looks, and between hints, as one may be lost. */
const lookMs = 2_000;
/** The number of provisioners that are asked one after the other, if those before left. */
const maxAsked = 3;

/**
 * Asks provisioners for the parameters that a version has for certain values. The session of a provisioner may be with another
 * server, so questions and answers pass through the database.
 */
export class RemoteParameters {
  readonly #platform: Platform;

  constructor(platform: Platform) {
    this.#platform = platform;
  }

  /**
   * Resolves to undefined if no provisioner with the tags is online that reads parameters. Rejects with a `DriverError` if the
   * parameters cannot be read.
   */
  async read(
    question: ProvisionerQuestion,
    signal: AbortSignal,
  ): Promise<readonly ParameterDefinition[] | undefined> {
    const { db } = this.#platform;
    const left: string[] = [];
    while (left.length < maxAsked) {
      const asked = await insertReading(db, question, left);
      if (asked === undefined) return undefined;
      try {
        const parameters = await this.#answer(asked, signal);
        if (parameters !== undefined) return parameters;
      } finally {
        await this.#withdraw(asked);
      }
      left.push(asked.sessionId);
    }
    throw new DriverError("run-failed", "the provisioners that were asked have left");
  }

  /** Waits for an answer; resolves to undefined if the provisioner has left. */
  async #answer(
    { id, sessionId }: AskedReading,
    signal: AbortSignal,
  ): Promise<readonly ParameterDefinition[] | undefined> {
    const { db, pubsub, clock } = this.#platform;
    const endsAtMs = clock.monotonic() + maxMs;
    const answers = { pubsub, topics: [topics.parameterReading(id)], maxWaitMs: lookMs };
    for await (const _ of watch({ ...answers, clock, signal })) {
      const state = await selectReading(db, id);
      if (state === undefined) return undefined;
      if (state.parameters !== null) return state.parameters;
      if (state.error !== null) throw new DriverError("run-failed", state.error);
      if (!state.isThere) return undefined;
      if (clock.monotonic() >= endsAtMs) {
        throw new DriverError(
          "run-failed",
          `the provisioner did not answer within ${maxMs / 1000} seconds`,
        );
      }
      pubsub.publish(topics.provisionerSession(sessionId));
    }
    return undefined;
  }

  /** Removes a question, which ends the run that still answers it. What is not removed now, the cleanup removes later. */
  async #withdraw({ id, sessionId }: AskedReading): Promise<void> {
    const { db, pubsub, logger } = this.#platform;
    try {
      await deleteReading(db, id);
      pubsub.publish(topics.provisionerSession(sessionId));
    } catch (error) {
      logger.debug({ error: errorText(error) }, "cannot withdraw a question to a provisioner");
    }
  }
}
