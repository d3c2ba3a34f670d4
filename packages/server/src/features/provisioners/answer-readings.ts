import { DriverError, refuseAborted } from "@slipway/drivers";
import { errorText, type Logger, Scope } from "@slipway/runtime";

import { isOutage } from "../../platform/db/errors.ts";
import { Refusal } from "../../platform/errors/errors.ts";
import { storableText } from "../../platform/fields/storable-text.ts";
import type { ProvisionerSession } from "../../platform/jobs/acquire-query.ts";
import { JobCanceled, JobUnfinished } from "../../platform/jobs/worker.ts";
import type { Platform } from "../../platform/platform.ts";
import { topics } from "../../platform/pubsub/pubsub.ts";
import { watch } from "../../platform/pubsub/watch.ts";
import { loadFile } from "../files/service.ts";
import { readParametersByDriver } from "../templates/parameter-service.ts";
import { requireImported } from "../templates/version-service.ts";
import { type OwnerNeeds, readDriverOwner } from "../users/driver-owner-service.ts";
import {
  answerReading,
  type ReadingAnswer,
  selectOpenReading,
  selectOpenReadings,
} from "./reading-queries.ts";
import type { RemoteCalls } from "./remote-calls.ts";
import { RemoteDriver } from "./remote-driver.ts";

/** The number of questions that a provisioner is asked at the same time: its driver carries out as many. */
const maxRuns = 2;
/** The number of open questions that are read; the oldest are carried out first. */
const maxOpen = 50;
/** The time between looks without a hint; who asks hints more often. */
const lookMs = 60_000;

export interface AnswerNeeds extends OwnerNeeds {
  readonly logger: Logger;
  /** Returns the URL at which agents reach the server. */
  readonly accessUrl: () => string;
}

/** A session whose provisioner reads parameters. */
interface ReadingSession extends Pick<ProvisionerSession, "sessionId"> {
  readonly calls: Pick<RemoteCalls, "call">;
}

/** Has the provisioner of a session answer the questions of forms, until the signal is aborted. */
export async function answerReadings(
  needs: AnswerNeeds & Platform,
  { sessionId, calls }: ReadingSession,
  signal: AbortSignal,
): Promise<void> {
  const { db, pubsub, clock, logger } = needs;
  const runs = new Map<string, AbortController>();
  await using scope = new Scope(signal);
  const begin = (id: string): void => {
    const run = new AbortController();
    runs.set(id, run);
    scope.run(async (ending) => {
      try {
        const stop = AbortSignal.any([ending, run.signal]);
        const answer = await readAnswer(needs, calls, id, stop);
        if (answer === undefined) return;
        await answerReading(db, id, answer);
        pubsub.publish(topics.parameterReading(id));
      } catch (error) {
        logger.debug({ error: errorText(error) }, "a question of a form was not answered");
      } finally {
        runs.delete(id);
      }
    });
  };
  const hints = { pubsub, topics: [topics.provisionerSession(sessionId)], maxWaitMs: lookMs };
  for await (const _ of watch({ ...hints, clock, signal })) {
    try {
      const open = await selectOpenReadings(db, sessionId, maxOpen);
      const ids = new Set(open);
      // Nobody waits for the others.
      for (const [id, run] of runs) if (!ids.has(id)) run.abort(new JobCanceled());
      for (const id of open) if (runs.size < maxRuns && !runs.has(id)) begin(id);
    } catch (error) {
      logger.warn({ error: errorText(error) }, "cannot read the questions of forms, retrying");
    }
  }
}

/**
 * Resolves to the answer of the provisioner; undefined if the question was removed. Rejects if the answer was lost, and another
 * provisioner can be asked.
 */
async function readAnswer(
  needs: AnswerNeeds,
  calls: Pick<RemoteCalls, "call">,
  id: string,
  signal: AbortSignal,
): Promise<ReadingAnswer | undefined> {
  const { db, logger } = needs;
  try {
    const reading = await selectOpenReading(db, id);
    if (reading === undefined) return undefined;
    const { versionId, ownerId, values } = reading;
    const version = await requireImported(db, versionId);
    const { organization_id: organizationId, file_id: fileId } = version;
    const { parameterSources: sources = [] } = version.definition;
    const owner = await readDriverOwner(needs, { id: ownerId, organizationId });
    if (owner === undefined) return { error: "the owner does not exist" };
    const job = { calls, id, readArchive: () => loadFile(db, fileId), room: async () => {} };
    const driver = refuseAborted(new RemoteDriver(job));
    const question = { version, sources, owner, values };
    const place = { db, accessUrl: needs.accessUrl, unpackDir: undefined };
    return { parameters: await readParametersByDriver(place, driver, question, signal) };
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof JobUnfinished || isOutage(error)) throw error;
    if (error instanceof DriverError || error instanceof Refusal) {
      return { error: storableText(error.message) };
    }
    logger.warn({ error: errorText(error) }, "cannot have a provisioner read parameters");
    return { error: "the server could not ask the provisioner" };
  }
}
