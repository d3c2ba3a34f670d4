import type { FileHandle } from "node:fs/promises";

import { errorText } from "@slipway/runtime";

import { openLogFile } from "../process/log-file.ts";
import type { OutputStream } from "../process/run-command.ts";
import { LineSplitter } from "./line-splitter.ts";
import type { LogLevel, LogQueue } from "./log-queue.ts";

/** The log of a script: its output goes unchanged to a file, and as lines to the server. */
export class ScriptLog implements AsyncDisposable {
  readonly #queue: LogQueue;
  readonly #sourceId: string;
  readonly #splitters = { stdout: new LineSplitter(), stderr: new LineSplitter() };
  #file: FileHandle | undefined;

  private constructor(queue: LogQueue, sourceId: string) {
    this.#queue = queue;
    this.#sourceId = sourceId;
  }

  /** Opens the log. If the file cannot be opened, the log reports it, and the script runs without a file. */
  static async open(queue: LogQueue, sourceId: string, path: string): Promise<ScriptLog> {
    const log = new ScriptLog(queue, sourceId);
    try {
      // Neither truncated nor appended to: a rerun overwrites the content (docs/protocol/agent.md §4.3).
      log.#file = await openLogFile(path, { write: "overwrite", mode: 0o600 });
    } catch (error) {
      log.say("warn", `no log file: ${errorText(error)}`);
    }
    return log;
  }

  /** Writes output, and waits while the queue is full unless the signal is aborted. */
  async take(stream: OutputStream, chunk: Buffer, cut: AbortSignal): Promise<void> {
    await this.#write(chunk);
    await this.#queue.room(cut);
    this.#queue.push(this.#sourceId, levels[stream], this.#splitters[stream].push(chunk));
  }

  /** Writes a line from the agent about the script. */
  say(level: LogLevel, text: string): void {
    this.#queue.push(this.#sourceId, level, [text]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const stream of ["stdout", "stderr"] as const) {
      this.#queue.push(this.#sourceId, levels[stream], this.#splitters[stream].close());
    }
    await this.#file?.close();
  }

  async #write(chunk: Buffer): Promise<void> {
    try {
      await this.#file?.writeFile(chunk);
    } catch (error) {
      this.say("warn", `the log file is no longer written: ${errorText(error)}`);
      const file = this.#file;
      this.#file = undefined;
      await file?.close();
    }
  }
}

const levels = { stdout: "info", stderr: "error" } as const;
