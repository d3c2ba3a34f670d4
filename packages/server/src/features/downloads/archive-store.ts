import { join } from "node:path";

import {
  abortable,
  type Clock,
  errorText,
  type Logger,
  settlesWithin,
  systemErrorCode,
} from "@slipway/runtime";
import { makeDirectories } from "@slipway/runtime/make-directories";

import { NotFound, Unavailable } from "../../platform/errors/errors.ts";
import { archiveFile, ArchiveFile, type ArchiveName } from "./archive-file.ts";
import { makeArchive } from "./make-archive.ts";

/** The source of the archives. */
export type ArchiveSource =
  /** Archives of a release, in a directory. */
  | { readonly kind: "ready"; readonly directory: string }
  /** Archives that a program makes when they are first needed, kept in a directory. */
  | { readonly kind: "made"; readonly directory: string; readonly command: readonly string[] }
  | { readonly kind: "off"; readonly reason: string };

interface StoreOptions {
  readonly source: ArchiveSource;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The time for which a request waits for an archive to be made; clients retry, and proxies wait longer. */
const maxWaitMs = 20_000;
/** The time after a failure without another attempt: the requests need no account. */
const pauseAfterFailureMs = 60_000;
const retryAfterSeconds = 5;

type Entry =
  | { readonly kind: "opening"; readonly file: Promise<ArchiveFile> }
  | { readonly kind: "failed"; readonly error: unknown; readonly until: number };

/** The archives of this server. The first request for one opens or makes it. */
export class ArchiveStore implements AsyncDisposable {
  readonly #source: ArchiveSource;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #entries = new Map<string, Entry>();
  /** Those who wait for an archive to be made, by its file. */
  readonly #reports = new Map<string, Set<(line: string) => void>>();
  readonly #closing = new AbortController();
  /** Archives are made one after the other. */
  #lastMade: Promise<unknown> = Promise.resolve();

  constructor({ source, clock, logger }: StoreOptions) {
    this.#source = source;
    this.#clock = clock;
    this.#logger = logger;
  }

  /**
   * Returns the archive. Throws `NotFound` if the server has none, and `Unavailable` while it is being made and after that
   * failed.
   */
  async open(name: ArchiveName): Promise<ArchiveFile> {
    const key = archiveFile(name);
    const known = this.#entries.get(key);
    if (known?.kind === "failed" && this.#clock.monotonic() < known.until) throw known.error;
    const entry = known?.kind === "opening" ? known : this.#begin(name);
    if (!(await settlesWithin(entry.file, maxWaitMs, this.#clock))) {
      const detail = `${key} is made at the first request, which takes a minute. Try again.`;
      throw new Unavailable("The download is being prepared.", { detail, retryAfterSeconds });
    }
    return entry.file;
  }

  /**
   * Returns the archive once it is made, however long that takes, and reports the progress. Throws as `open` does, and the
   * signal's reason.
   */
  async wait(
    name: ArchiveName,
    report: (line: string) => void,
    signal: AbortSignal,
  ): Promise<ArchiveFile> {
    const key = archiveFile(name);
    const known = this.#entries.get(key);
    if (known?.kind === "failed" && this.#clock.monotonic() < known.until) throw known.error;
    const { file } = known?.kind === "opening" ? known : this.#begin(name);
    const reports = this.#reports.get(key) ?? new Set();
    this.#reports.set(key, reports.add(report));
    try {
      return await abortable(file, signal);
    } finally {
      reports.delete(report);
    }
  }

  /** Opens all of them, so that no request waits. Failures are logged. Resolves early when `signal` aborts. */
  async prepare(names: readonly ArchiveName[], signal: AbortSignal): Promise<void> {
    const opening = names.map((name) => this.open(name).catch(() => undefined));
    await abortable(Promise.all(opening), signal).catch(() => signal.throwIfAborted());
  }

  /** Cancels archives in the making; requests that wait for them are refused. */
  async stop(): Promise<void> {
    this.#closing.abort(new Unavailable("The server is shutting down."));
    await this.#lastMade;
  }

  #begin(name: ArchiveName): Entry & { readonly kind: "opening" } {
    const key = archiveFile(name);
    const file = this.#open(name).catch((error: unknown) => {
      const until = this.#clock.monotonic() + pauseAfterFailureMs;
      this.#entries.set(key, { kind: "failed", error, until });
      throw error;
    });
    file.catch(() => undefined);
    const entry = { kind: "opening", file } as const;
    this.#entries.set(key, entry);
    return entry;
  }

  async #open(name: ArchiveName): Promise<ArchiveFile> {
    const source = this.#source;
    switch (source.kind) {
      case "off":
        throw absent(source.reason);
      case "ready":
        return this.#openReady(join(source.directory, archiveFile(name)));
      case "made":
        return this.#openMade(name, source);
    }
  }

  async #openReady(path: string): Promise<ArchiveFile> {
    try {
      return await ArchiveFile.open(path);
    } catch (error) {
      if (systemErrorCode(error) === "ENOENT") throw absent(`There is no ${path} on the server.`);
      this.#logger.error({ path, error: errorText(error) }, "cannot read download");
      throw new Unavailable("The download cannot be read.", { cause: error });
    }
  }

  async #openMade(
    name: ArchiveName,
    { directory, command }: ArchiveSource & { readonly kind: "made" },
  ): Promise<ArchiveFile> {
    const file = archiveFile(name);
    const logger = this.#logger.child({ file });
    const signal = this.#closing.signal;
    const made = this.#lastMade.then(async () => {
      signal.throwIfAborted();
      await makeDirectories(directory);
      const report = (line: string): void => this.#reports.get(file)?.forEach((one) => one(line));
      return makeArchive({ name, directory, command, logger, report, signal });
    });
    this.#lastMade = made.catch(() => undefined);
    try {
      return await ArchiveFile.open(await made);
    } catch (error) {
      signal.throwIfAborted();
      logger.error({ error: errorText(error) }, "cannot make download");
      const detail =
        "The server's log has the reason. An administrator can put ready archives into the directory SLIPWAY_DOWNLOADS_DIR.";
      throw new Unavailable("The download could not be made.", { detail, cause: error });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    for (const entry of this.#entries.values()) {
      if (entry.kind !== "opening") continue;
      const file = await entry.file.catch(() => undefined);
      await file?.[Symbol.asyncDispose]();
    }
  }
}

function absent(detail: string): NotFound {
  return new NotFound("This server has no such download.", { detail });
}
