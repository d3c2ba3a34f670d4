import type { LogLevel } from "@slipway/api";

import type { Database } from "../db/database.ts";
import { withoutNul } from "../http/storable-text.ts";
import { topics, type PubSub } from "../pubsub/pubsub.ts";
import { insertJobLogs, type NewJobLog } from "./queries.ts";

const maxOutputLength = 8_192;

/**
 * The log of one job, in order. Lines that arrive during a write are written together with the next. The writer's owner
 * flushes it before the job ends.
 */
export class JobLogWriter {
  readonly #db: Database;
  readonly #pubsub: PubSub;
  readonly #jobId: string;
  #stage = "";
  #waiting: NewJobLog[] = [];
  #writing: Promise<void> | undefined;
  #failure: { readonly error: unknown } | undefined;

  constructor(db: Database, pubsub: PubSub, jobId: string) {
    this.#db = db;
    this.#pubsub = pubsub;
    this.#jobId = jobId;
  }

  /** Begins a stage: an entry without output, which clients show as a heading. */
  stage(name: string): void {
    this.#stage = name;
    this.#add({ log_source: "provisioner_daemon", log_level: "info", stage: name, output: "" });
  }

  write(level: LogLevel, output: string): void {
    const text = withoutNul(output).slice(0, maxOutputLength);
    this.#add({ log_source: "provisioner", log_level: level, stage: this.#stage, output: text });
  }

  /** Flushes the log: resolves when everything written so far is in the database; rejects if any of it is lost. */
  async flush(): Promise<void> {
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
    // Gathers the lines of the current turn first.
    await Promise.resolve();
    try {
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
