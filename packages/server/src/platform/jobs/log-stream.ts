import type { JobLog } from "@slipway/api/jobs/job";

import type { Database } from "../db/database.ts";
import type { LogRange } from "../fields/log-range.ts";
import { keepAlive, type PeerSocket, refuseMessages } from "../http/peer-socket.ts";
import type { Platform } from "../platform.ts";
import type { GatheredReads } from "../pubsub/gathered-reads.ts";
import { topics } from "../pubsub/pubsub.ts";
import { watch } from "../pubsub/watch.ts";
import { isJobComplete, maxLogsPerRead, selectJobLogs } from "./queries.ts";

export interface LogStreamNeeds extends Pick<Platform, "db" | "pubsub" | "clock"> {
  /** The reads of all followers of logs on this replica: followers at the same position share their reads. */
  readonly jobLogReads: GatheredReads<JobLogPart>;
}

/** A part of a log, up to its end at the time of the read. */
export interface JobLogPart {
  readonly logs: readonly JobLog[];
  /** True if the job was complete before the part was read. */
  readonly isComplete: boolean;
}

const pollMs = 30_000;

/** Reads all entries of a job's log in a range. */
export async function readJobLogs(db: Database, jobId: string, range: LogRange): Promise<JobLog[]> {
  const logs: JobLog[] = [];
  for (;;) {
    const after = logs.at(-1)?.id ?? range.after;
    const rows = await selectJobLogs(db, jobId, { ...range, after });
    logs.push(...rows);
    if (rows.length < maxLogsPerRead) return logs;
  }
}

/**
 * Sends a job's log, one entry per message, until the job is complete; then closes with `done`
 * (docs/protocol/clients.md §4.4).
 */
export async function streamJobLogs(
  needs: LogStreamNeeds,
  socket: PeerSocket,
  jobId: string,
  after: number,
): Promise<void> {
  keepAlive(socket);
  refuseMessages(socket, 1008, "unexpected data message");
  const { db, pubsub, clock, jobLogReads } = needs;
  let last = after;
  for await (const _ of watch({
    pubsub,
    topics: [topics.job(jobId)],
    maxWaitMs: pollMs,
    clock,
    signal: socket.signal,
  })) {
    const from = last;
    const { logs, isComplete } = await jobLogReads.read(`${jobId} ${from}`, () =>
      readPart(db, jobId, from),
    );
    for (const log of logs) {
      last = log.id;
      await socket.sendText(`${JSON.stringify(log)}\n`);
    }
    if (isComplete) return socket.close(1000, "done");
  }
}

async function readPart(db: Database, jobId: string, after: number): Promise<JobLogPart> {
  // Checked before the read, so that nothing written before the end is missed.
  const isComplete = await isJobComplete(db, jobId);
  return { logs: await readJobLogs(db, jobId, { after, before: undefined }), isComplete };
}
