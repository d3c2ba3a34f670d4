import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

import { getExternalAgentCredentials } from "@slipway/api/workspaces/external-agent-routes";
import { listWorkspaces } from "@slipway/api/workspaces/routes";
import type { Workspace } from "@slipway/api/workspaces/workspace";
import type { ApiClient } from "@slipway/sdk/http";
import { firstAgent } from "@slipway/testkit";

import { AgentBox } from "./agent-box.ts";
import { callPersistently, isRefusal } from "./persistent-calls.ts";

interface FleetOptions {
  readonly directory: string;
  /** The address to which agents connect. */
  readonly serverUrl: string;
  readonly admin: ApiClient;
  readonly onUnexpectedExit: (what: string) => void;
}

const lookEveryMs = 250;

/** The agents of all workspaces that wait or were claimed, started as by an operator who watches the pool. */
export class Fleet implements AsyncDisposable {
  readonly #options: FleetOptions;
  readonly #boxes = new Map<string, AgentBox>();
  #ready = 0;
  /**
   * The number of ready workspaces promised to claims, as far as is known; those of unfinished claims stay promised
   * after the next check.
   */
  #promised = 0;
  #claiming = 0;

  constructor(options: FleetOptions) {
    this.#options = options;
  }

  /** All boxes so far; retired ones are not up. */
  get boxes(): readonly AgentBox[] {
    return [...this.#boxes.values()];
  }

  boxOf(workspaceId: string): AgentBox | undefined {
    return this.#boxes.get(workspaceId);
  }

  /** Starts the agents of workspaces that begin to wait, until the signal is aborted. */
  async look(signal: AbortSignal): Promise<void> {
    const { admin } = this.#options;
    for (;;) {
      const query = { q: "owner:prebuilds" };
      const { workspaces } = await callPersistently(
        (limit) => admin.call(listWorkspaces, { query, signal: limit }),
        signal,
      );
      this.#ready = workspaces.filter(isReady).length;
      this.#promised = this.#claiming;
      const fresh = workspaces.filter(
        ({ id, latest_build: build }) => build.status === "running" && !this.#boxes.has(id),
      );
      await Promise.all(fresh.map(({ id }) => this.#open(id, signal)));
      await pause(lookEveryMs, undefined, { signal });
    }
  }

  /** Claims once a workspace waits that is not promised to another claim, as far as is known. */
  async whenReady<T>(claim: () => Promise<T>, signal: AbortSignal): Promise<T> {
    while (this.#promised >= this.#ready) await pause(lookEveryMs / 5, undefined, { signal });
    this.#promised += 1;
    this.#claiming += 1;
    try {
      return await claim();
    } finally {
      this.#claiming -= 1;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.boxes.map((box) => box.retire()));
  }

  async #open(workspaceId: string, signal: AbortSignal): Promise<void> {
    const { admin, directory, serverUrl, onUnexpectedExit } = this.#options;
    const params = { workspace: workspaceId, agent: "main" };
    const credentials = await callPersistently(
      (limit) => admin.call(getExternalAgentCredentials, { params, signal: limit }),
      signal,
    ).catch((error: unknown) => {
      // The pool may have dropped it in the meantime.
      if (isRefusal(error) && [404, 409].includes(error.status)) return undefined;
      throw error;
    });
    if (credentials === undefined) return;
    const box = await AgentBox.open({
      workspaceId,
      directory: join(directory, workspaceId),
      serverUrl,
      token: credentials.agent_token,
      onUnexpectedExit,
    });
    this.#boxes.set(workspaceId, box);
  }
}

function isReady(workspace: Workspace): boolean {
  return firstAgent(workspace)?.lifecycle_state === "ready";
}
