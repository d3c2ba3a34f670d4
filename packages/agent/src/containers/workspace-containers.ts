import { stat } from "node:fs/promises";

import { abortable, type Clock, errorText, type Logger, Scope, Waiters } from "@slipway/runtime";

import type { ContainerList } from "./container.ts";
import { isConfigNewer } from "./devcontainer-config.ts";
import { Devcontainers, type KnownDevcontainer, placeOf } from "./devcontainers.ts";
import type { Engine } from "./engine.ts";
import { ContainerError } from "./errors.ts";
import { listContainers, type Scan } from "./list-containers.ts";
import { portWarnings } from "./port-warnings.ts";

/** The time for which a scan is reused by requests. */
const reuseMs = 1_000;
/** The time between two scans: with watchers (docs/protocol/agent.md §8.6), and without. */
const watchedScanMs = 10_000;
const quietScanMs = 30_000;
/** The same while the engine does not answer. */
const failedScanMs = 5 * 60_000;
/** The maximum number of watchers. */
const maxWatchers = 64;

export interface WorkspaceContainersOptions {
  readonly engine: Engine;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Called after each scan, which may have found dev containers that started or ended. */
type OnScan = (devcontainers: readonly KnownDevcontainer[]) => void;

/**
 * The containers beside an agent, as its machine's engine lists them: when somebody asks, every 10 s while somebody
 * watches, and every 30 s once `begin` was called, as sub-agents follow their containers. Its opener closes it.
 */
export class WorkspaceContainers implements AsyncDisposable {
  readonly devcontainers = new Devcontainers();
  readonly #options: WorkspaceContainersOptions;
  readonly #scope = new Scope();
  readonly #changed = new Waiters();
  #scan: Scan = { containers: [], warnings: [] };
  #failure: Error | undefined;
  #scannedMs: number | undefined;
  #scanning: Promise<void> | undefined;
  #watchers = 0;
  #isScanningForWatchers = false;
  #onScan: OnScan | undefined;

  constructor(options: WorkspaceContainersOptions) {
    this.#options = options;
  }

  /** Aborted when it is closed. */
  get signal(): AbortSignal {
    return this.#scope.signal;
  }

  /** Begins to scan regularly, also without requests. Call it once. */
  begin(onScan: OnScan): void {
    this.#onScan = onScan;
    // Earlier scans were not reported, so the next one must not reuse them.
    this.#scannedMs = undefined;
    this.#scope.run((signal) => this.#scanRegularly(signal));
  }

  /**
   * Resolves to the list, which is at most a second old. A request before the first regular scan scans itself, rather
   * than wait for the start scripts as stock agents do. A machine without an engine has no containers: the list is
   * empty and has a warning. Rejects with the `ContainerError` of a failed scan, and with the signal's reason.
   */
  async list(signal: AbortSignal): Promise<ContainerList> {
    await abortable(this.#refresh(), signal);
    if (this.#failure !== undefined) throw this.#failure;
    return this.#listed();
  }

  /**
   * Yields the list, and again whenever it has changed, until the signal is aborted or this is closed. A list after a
   * failed scan has the reason as a warning.
   */
  async *watch(signal: AbortSignal): AsyncGenerator<ContainerList> {
    if (this.#watchers >= maxWatchers) {
      throw new ContainerError("busy", `${maxWatchers} clients watch the containers already`);
    }
    this.#watchers += 1;
    try {
      const either = AbortSignal.any([signal, this.signal]);
      await abortable(this.#refresh(), either);
      this.#scope.run((ended) => this.#scanForWatchers(ended));
      let shown = "";
      while (!either.aborted) {
        const changed = this.#changed.next(either);
        const list = this.#listed();
        const text = JSON.stringify(list);
        if (text !== shown) yield list;
        shown = text;
        await changed;
      }
    } finally {
      this.#watchers -= 1;
    }
  }

  /** Tells watchers that a dev container has changed. */
  notify(): void {
    this.#changed.wakeAll();
  }

  /** Scans now, or after the scan that is running. Never rejects. */
  async rescan(): Promise<void> {
    await this.#scanning;
    this.#scannedMs = undefined;
    await this.#refresh();
  }

  /** Resolves to a scan that begins after this call. Rejects with its `ContainerError`, and with the signal's reason. */
  async freshScan(signal: AbortSignal): Promise<Scan> {
    await abortable(this.rescan(), signal);
    if (this.#failure !== undefined) throw this.#failure;
    return this.#scan;
  }

  /** Runs a task until it ends or this is closed; its errors are logged. */
  run(task: (signal: AbortSignal) => Promise<void>): void {
    this.#scope.run(async (signal) => {
      try {
        await task(signal);
      } catch (error) {
        if (signal.aborted) return;
        this.#options.logger.error({ error: errorText(error) }, "container task failed");
      }
    });
  }

  /** Ends scans, watches and tasks. Idempotent. */
  async close(): Promise<void> {
    await this.#scope.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #listed(): ContainerList {
    const { containers } = this.#scan;
    const failure = this.#failure === undefined ? [] : [errorText(this.#failure)];
    const warnings = [...failure, ...this.#scan.warnings, ...portWarnings(containers)];
    return {
      devcontainers: this.devcontainers.list(),
      containers,
      ...(warnings.length === 0 ? {} : { warnings }),
    };
  }

  async #scanRegularly(signal: AbortSignal): Promise<void> {
    for (;;) {
      await this.#refresh();
      const waitMs = this.#failure === undefined ? quietScanMs : failedScanMs;
      await this.#options.clock.sleep(waitMs, signal);
    }
  }

  async #scanForWatchers(signal: AbortSignal): Promise<void> {
    if (this.#isScanningForWatchers) return;
    this.#isScanningForWatchers = true;
    while (this.#watchers > 0) {
      await this.#options.clock.sleep(watchedScanMs, signal);
      await this.#refresh();
    }
    this.#isScanningForWatchers = false;
  }

  /** Scans unless the last scan is recent. Concurrent calls share a scan. Never rejects. */
  async #refresh(): Promise<void> {
    const now = this.#options.clock.monotonic();
    if (this.#scannedMs !== undefined && now - this.#scannedMs < reuseMs) return;
    this.#scanning ??= this.#scanOnce().finally(() => {
      this.#scanning = undefined;
    });
    await this.#scanning;
  }

  async #scanOnce(): Promise<void> {
    const { engine, clock, logger } = this.#options;
    try {
      this.#scan = (await engine.isInstalled())
        ? await listContainers(engine, clock, this.signal)
        : { containers: [], warnings: ["neither docker nor podman is installed in the workspace"] };
      this.#failure = undefined;
      await this.#apply(this.#scan);
    } catch (error) {
      if (this.signal.aborted) return;
      if (this.#failure === undefined) {
        logger.warn({ error: errorText(error) }, "cannot list the containers");
      }
      this.#failure = error instanceof Error ? error : new Error(errorText(error));
    }
    this.#scannedMs = clock.monotonic();
    this.notify();
  }

  async #apply({ containers }: Scan): Promise<void> {
    const folders = new Set(containers.flatMap((container) => placeOf(container)?.folder ?? []));
    const present = new Set<string>();
    for (const folder of folders) if (await isDirectory(folder)) present.add(folder);
    // Several machines may share an engine: a folder that is not here belongs to another one.
    this.devcontainers.update(containers, (folder) => present.has(folder));
    for (const known of this.devcontainers.all()) {
      this.devcontainers.setDirty(known.id, await isConfigNewer(known));
    }
    this.#onScan?.(this.devcontainers.all());
  }
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    // Absent, or out of reach.
    return false;
  }
}
