import type { LogLevel } from "@slipway/api/jobs/job";

import type { Database } from "../db/database.ts";
import { storableText } from "../fields/storable-text.ts";
import { topics, type PubSub } from "../pubsub/pubsub.ts";
import { insertJobLogs, type NewJobLog } from "./queries.ts";

const maxOutputLength = 8_192;
/** The number of lines that wait before their source has to. */
const maxWaiting = 2_000;

/** Waits for more lines to write together; ends early when the signal is aborted. */
type Gather = (flushed: AbortSignal) => Promise<unknown>;

/**
 * The log of one job, in order. Lines that arrive while others are gathered or written share a statement. The writer's
 * owner flushes it before the job ends.
 */
export class JobLogWriter {
  readonly #db: Database;
  readonly #pubsub: PubSub;
  readonly #jobId: string;
  readonly #gather: Gather;
  readonly #flushed = new AbortController();
  #stage = "";
  #waiting: NewJobLog[] = [];
  #writing: Promise<void> | undefined;
  #failure: { readonly error: unknown } | undefined;

  /** `gather`: by default, only the lines of the current turn are gathered. */
  constructor(db: Database, pubsub: PubSub, jobId: string, gather: Gather = noDelay) {
    this.#db = db;
    this.#pubsub = pubsub;
    this.#jobId = jobId;
    this.#gather = gather;
  }

  /** Begins a stage: an entry without output, which clients show as a heading. */
  stage(name: string): void {
    this.#stage = name;
    this.#add({ log_source: "provisioner_daemon", log_level: "info", stage: name, output: "" });
  }

  write(level: LogLevel, output: string): void {
    const text = storableText(output).slice(0, maxOutputLength).toWellFormed();
    this.#add({ log_source: "provisioner", log_level: level, stage: this.#stage, output: text });
  }

  /** Resolves when few enough lines wait that more may come. */
  async room(): Promise<void> {
    while (this.#waiting.length > maxWaiting && this.#failure === undefined) {
      await this.#writing?.catch(() => undefined);
    }
  }

  /** Flushes the log: resolves when everything written so far is in the database; rejects if any of it is lost. */
  async flush(): Promise<void> {
    this.#flushed.abort();
    while (this.#writing !== undefined || this.#waiting.length > 0) {
      this.#writing ??= this.#drain();
      await this.#writing;
    }
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  #add(log: NewJobLog): void {
    this.#waiting.push(log);
    this.#writing ??= this.#drain();
    // A failure is stored for `flush`, whose caller fails the job.
    this.#writing.catch((error: unknown) => (this.#failure ??= { error }));
  }

  async #drain(): Promise<void> {
    try {
      await this.#gather(this.#flushed.signal).catch(() => undefined);
      while (this.#waiting.length > 0) {
        const batch = this.#waiting;
        this.#waiting = [];
        await insertJobLogs(this.#db, this.#jobId, batch);
        this.#pubsub.publish(topics.job(this.#jobId));
      }
    } finally {
      this.#writing = undefined;
    }
  }
}

async function noDelay(): Promise<void> {}
