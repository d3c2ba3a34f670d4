import { setTimeout as pause } from "node:timers/promises";

import { createWorkspace, getWorkspaceByName } from "@slipway/api/workspaces/routes";
import type { Workspace } from "@slipway/api/workspaces/workspace";
import { Scope } from "@slipway/runtime";
import type { Random } from "@slipway/testkit/random";

import type { Actor } from "./actors.ts";
import type { Fleet } from "./fleet.ts";
import { callOnce, callPersistently, isRefusal } from "./persistent-calls.ts";
import type { ClaimRequest } from "./pool-template.ts";

/** A workspace whose owner knows that they own it. */
export interface AcknowledgedWorkspace {
  readonly id: string;
  readonly name: string;
  readonly ownerName: string;
}

interface ClaimsOptions {
  readonly request: ClaimRequest;
  readonly fleet: Fleet;
  readonly random: Random;
  readonly count: number;
  readonly perSecond: number;
}

const lookEveryMs = 50;

/** The claims so far. */
export class Claims {
  readonly #options: ClaimsOptions;
  readonly acknowledged: AcknowledgedWorkspace[] = [];
  claimed = 0;
  missed = 0;
  lostAnswers = 0;
  doneUnanswered = 0;
  #underWay = 0;

  constructor(options: ClaimsOptions) {
    this.#options = options;
  }

  /** Makes claims at random times, each by a random user, until there are enough. */
  async make(actors: readonly Actor[], signal: AbortSignal): Promise<void> {
    const { random, perSecond, count } = this.#options;
    await using claiming = new Scope(signal);
    for (let number = 1; this.claimed < count; number += 1) {
      await pause((-Math.log(1 - random.next()) * 1000) / perSecond, undefined, claiming);
      const actor = random.pick(actors);
      // All claims in flight may succeed.
      while (this.#underWay > 0 && this.claimed + this.#underWay >= count) {
        await pause(lookEveryMs, undefined, claiming);
      }
      if (actor === undefined || this.claimed >= count) break;
      this.#underWay += 1;
      claiming.run((ended) => this.#claimNext(actor, `box-${number}`, ended));
    }
    await claiming.join();
  }

  async #claimNext(actor: Actor, name: string, signal: AbortSignal): Promise<void> {
    const workspace = await this.#options.fleet.whenReady(
      () => this.#claim(actor, name, signal),
      signal,
    );
    this.acknowledged.push({ id: workspace.id, name, ownerName: actor.name });
    this.#underWay -= 1;
    // A first build is not a claim: no workspace was waiting there.
    if (workspace.latest_build.build_number > 1) this.claimed += 1;
    else this.missed += 1;
  }

  /** Retries until the workspace exists. An unanswered request may have succeeded. */
  async #claim({ client }: Actor, name: string, signal: AbortSignal): Promise<Workspace> {
    const body = { ...this.#options.request, name };
    const params = { user: "me" };
    for (;;) {
      try {
        return await callOnce(
          (limit) => client.call(createWorkspace, { params, body, signal: limit }),
          signal,
        );
      } catch (error) {
        signal.throwIfAborted();
        const isTaken = isRefusal(error) && error.status === 409;
        if (isRefusal(error) && !isTaken) throw error;
        if (!isTaken) this.lostAnswers += 1;
        const found = await this.#find(client, name, signal);
        if (found === undefined && isTaken) throw error;
        if (found === undefined) continue;
        this.doneUnanswered += 1;
        return found;
      }
    }
  }

  async #find(
    client: Actor["client"],
    name: string,
    signal: AbortSignal,
  ): Promise<Workspace | undefined> {
    const params = { user: "me", name };
    try {
      return await callPersistently(
        (limit) => client.call(getWorkspaceByName, { params, signal: limit }),
        signal,
      );
    } catch (error) {
      if (isRefusal(error) && error.status === 404) return undefined;
      throw error;
    }
  }
}
