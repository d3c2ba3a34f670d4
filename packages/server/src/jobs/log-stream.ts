import type { JobLog } from "@slipway/api";
import type { Clock } from "@slipway/runtime";

import type { Database } from "../db/database.ts";
import { HttpError, invalidField } from "../http/errors.ts";
import { keepAlive, type PeerSocket, refuseMessages } from "../http/peer-socket.ts";
import { topics, type PubSub } from "../pubsub/pubsub.ts";
import { watch } from "../pubsub/watch.ts";
import { isJobComplete, maxLogsPerRead, selectJobLogs } from "./queries.ts";

export interface LogStreamNeeds {
  readonly db: Database;
  readonly pubsub: PubSub;
  readonly clock: Clock;
}

const pollMs = 30_000;

/** Reads `after` of a log query; empty and absent mean 0. Throws the 400 of `rest.md` section 6.2. */
export function readAfter(text: string | undefined): number {
  if (text === undefined || text === "") return 0;
  const value = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(value)) return value;
  throw new HttpError(
    400,
    'Query param "after" must be an integer greater than or equal to zero.',
    {
      validations: invalidField("after", "Must be an integer greater than or equal to zero")
        .validations,
    },
  );
}

/** The whole log of a job after an id. */
export async function readJobLogs(db: Database, jobId: string, after: number): Promise<JobLog[]> {
  const logs: JobLog[] = [];
  let last = after;
  for (;;) {
    const rows = await selectJobLogs(db, jobId, last);
    logs.push(...rows);
    last = rows.at(-1)?.id ?? last;
    if (rows.length < maxLogsPerRead) return logs;
  }
}

/** Sends a job's log, one entry a message, until the job is complete; then closes with `done` (`clients.md` 4.4). */
export async function streamJobLogs(
  needs: LogStreamNeeds,
  socket: PeerSocket,
  jobId: string,
  after: number,
): Promise<void> {
  keepAlive(socket);
  refuseMessages(socket, 1008, "unexpected data message");
  const { db, pubsub, clock } = needs;
  let last = after;
  for await (const _ of watch({
    pubsub,
    topics: [topics.job(jobId)],
    maxWaitMs: pollMs,
    clock,
    signal: socket.signal,
  })) {
    // Asked before the read, so that nothing written before the end is missed.
    const isComplete = await isJobComplete(db, jobId);
    for (const log of await readJobLogs(db, jobId, last)) {
      last = log.id;
      await socket.sendText(`${JSON.stringify(log)}\n`);
    }
    if (isComplete) return socket.close(1000, "done");
  }
}
