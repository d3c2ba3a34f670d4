import {
  getRun,
  listRuns,
  type Run,
  type RunPage,
  type RunRequest,
  startRun,
} from "@slipway/api/agents/run-routes";
import { getKeptRunOutput } from "@slipway/api/workspaces/run-routes";
import { Backoff, type Clock } from "@slipway/runtime";

import type { ApiClient } from "../http/client.ts";
import { ApiError, isRetryable } from "../http/errors.ts";
import { RunError } from "./errors.ts";

/** The time that the start of a run waits for its end or its first output, so that a short command takes one request. */
const startWaitMs = 250;
/** The number of bytes that come with the answer to a start. */
const startBytes = 256 * 1024;
/** The number of attempts at a request whose connection fails. */
const maxAttempts = 8;

export interface RunTargetOptions {
  readonly client: ApiClient;
  readonly agentId: string;
  /** The workspace, whose runs can be read after it has stopped (default: they cannot). */
  readonly workspaceId?: string;
  readonly clock: Clock;
}

/** The agent in which runs are started. */
export class RunTarget {
  readonly client: ApiClient;
  readonly agentId: string;
  readonly clock: Clock;
  readonly #workspaceId: string | undefined;
  /** The instance of the agent as of its last answer. */
  #instanceId: Promise<string> | undefined;

  constructor({ client, agentId, workspaceId, clock }: RunTargetOptions) {
    this.#workspaceId = workspaceId;
    this.client = client;
    this.agentId = agentId;
    this.clock = clock;
  }

  /**
   * Starts a run once, however often its requests are lost: each names the run, and the instance of the agent that may
   * start it. Rejects with `ApiError`, `ConnectError`, `RunError` and the signal's reason.
   */
  async start(
    request: RunRequest & { readonly id: string },
    signal: AbortSignal,
  ): Promise<RunPage> {
    for (let renewals = 0; ; renewals += 1) {
      const instanceId = await this.#instance(signal);
      const page = await this.#startAt(instanceId, request, { signal, mayRenew: renewals < 2 });
      if (page !== "renewed") return page;
    }
  }

  /** Reads a run of an instance of the agent; undefined for any. */
  async get(runId: string, instanceId: string | undefined, signal: AbortSignal): Promise<Run> {
    const params = { agent: this.agentId, run: runId };
    const query = instanceId === undefined ? {} : { instance_id: instanceId };
    return this.client.call(getRun, { params, query, signal });
  }

  /** Finds a run with its agent, or what the workspace has left of it when it stopped. */
  async find(
    runId: string,
    after: number,
    signal: AbortSignal,
  ): Promise<Pick<RunPage, "run"> & Partial<RunPage>> {
    try {
      return { run: await this.get(runId, undefined, signal) };
    } catch (error) {
      if (!mayHaveStopped(error)) throw error;
      const page = await this.getKept(runId, after, signal);
      if (page === undefined) throw error;
      return page;
    }
  }

  /** Reads what the workspace has left of a run when it stopped; undefined if there is nothing. */
  async getKept(runId: string, after: number, signal: AbortSignal): Promise<RunPage | undefined> {
    if (this.#workspaceId === undefined) return undefined;
    const params = { workspace: this.#workspaceId, run: runId };
    const query = { after: String(after), encoding: "base64" };
    try {
      return await this.client.call(getKeptRunOutput, { params, query, signal });
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) return undefined;
      throw error;
    }
  }

  async #startAt(
    instanceId: string,
    request: RunRequest,
    { signal, mayRenew }: { readonly signal: AbortSignal; readonly mayRenew: boolean },
  ): Promise<RunPage | "renewed"> {
    const backoff = new Backoff();
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.client.call(startRun, {
          params: { agent: this.agentId },
          query: {
            wait_ms: String(startWaitMs),
            wait_for: "output",
            limit: String(startBytes),
            encoding: "base64",
          },
          body: { ...request, instance_id: instanceId },
          signal,
        });
      } catch (error) {
        signal.throwIfAborted();
        if (isGone(error)) {
          this.#instanceId = undefined;
          // The first attempt was refused, so that nothing runs.
          if (attempt === 1 && mayRenew) return "renewed";
          throw new RunError("gone", "the agent was restarted while the run was started", {
            admitted: attempt === 1 ? "no" : "unknown",
            cause: error,
          });
        }
        const wasRefused = error instanceof ApiError && error.admitted === "no";
        if (wasRefused || !isRetryable(error) || attempt >= maxAttempts) throw error;
        await this.clock.sleep(backoff.next(), signal);
      }
    }
  }

  /** Resolves to the instance of the agent, which is asked for it once. */
  async #instance(signal: AbortSignal): Promise<string> {
    this.#instanceId ??= this.client
      .call(listRuns, { params: { agent: this.agentId }, query: { limit: "0" }, signal })
      .then(({ instance_id: id }) => id)
      .catch((error: unknown) => {
        this.#instanceId = undefined;
        throw error;
      });
    return this.#instanceId;
  }
}

/** Returns whether the workspace of an agent may have stopped. */
export function mayHaveStopped(error: unknown): boolean {
  if (!(error instanceof ApiError)) return false;
  return error.status === 404 || error.body.code === "not-connected";
}

/** Returns whether an agent is no longer the instance that the request names. */
function isGone(error: unknown): boolean {
  return error instanceof ApiError && error.body.code === "gone";
}
