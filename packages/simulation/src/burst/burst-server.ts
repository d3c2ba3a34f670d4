import {
  choosePrebuilds,
  CreationQueue,
  GatheredClaims,
  type NewOwner,
  Unavailable,
} from "@slipway/server/claims";

import { Life } from "../engine/life.ts";
import { costs } from "./costs.ts";
import { type PoolDatabase, PoolTransaction } from "./pool-database.ts";
import { type Processor, Thread } from "./processor.ts";

/** The response to a request for a workspace; `taken` if its owner has a workspace of the name. */
export type BurstAnswer =
  | { readonly kind: "claimed"; readonly id: string }
  | { readonly kind: "taken" }
  | { readonly kind: "busy"; readonly retryAfterMs: number }
  | { readonly kind: "none" };

interface BurstServerOptions {
  readonly name: string;
  readonly database: PoolDatabase;
  readonly processor: Processor;
  /** Called for each claim after its commit. */
  readonly onClaimed: (id: string) => void;
}

const presetId = "preset";
/** The time for which a request alone waits for prebuilds that others hold, and how often it looks. */
const lockWaitMs = 2_000;
const lookEveryMs = 100;

/** A server under a burst of claims: the product's gathering, queue and choice, with the processor time of the rest. */
export class BurstServer {
  readonly life: Life;
  readonly thread: Thread;
  readonly #database: PoolDatabase;
  readonly #onClaimed: (id: string) => void;
  readonly #claims = new GatheredClaims((owners: readonly NewOwner[]) => this.#claim(owners));
  readonly #creations = new CreationQueue();

  constructor({ name, database, processor, onClaimed }: BurstServerOptions) {
    this.life = new Life(name, database.scheduler);
    this.thread = new Thread(this.life, processor);
    this.#database = database;
    this.#onClaimed = onClaimed;
  }

  /** Serves a request for a workspace. */
  async create(owner: NewOwner): Promise<BurstAnswer> {
    const { life, thread } = this;
    await thread.run(costs.server.request);
    await this.#database.spend(life, costs.database.request);
    try {
      const id = await this.#claims.claim(owner.ownerId, owner, life.forever);
      const answer =
        id === undefined
          ? await this.#creations.run(() => this.#createAlone(owner))
          : ({ kind: "claimed", id } as const);
      await thread.run(costs.server.response);
      return answer;
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error;
      return { kind: "busy", retryAfterMs: (error.retryAfterSeconds ?? 0) * 1_000 };
    }
  }

  /** Claims for owners in one transaction; resolves to the ids in their order, undefined for those that get none. */
  async #claim(owners: readonly NewOwner[]): Promise<readonly (string | undefined)[]> {
    const { life, thread } = this;
    const free = owners.filter((owner) => this.#database.named(owner) === undefined);
    if (free.length === 0) return owners.map(() => undefined);
    const transaction = new PoolTransaction(this.#database, life);
    const ids = await choosePrebuilds(transaction, presetId, free);
    await thread.run(free.length * costs.server.claim);
    const chosen = new Map(free.map((owner, index) => [owner, ids[index]]));
    const answers = owners.map((owner) => chosen.get(owner));
    const committing = transaction.commit();
    if (this.#database.bug === "answers early") return answers;
    // The product serves each request alone after a failure.
    if (!(await committing)) return owners.map(() => undefined);
    await life.step(costs.diskMs, () => undefined);
    for (const id of answers) if (id !== undefined) this.#onClaimed(id);
    return answers;
  }

  async #createAlone(owner: NewOwner): Promise<BurstAnswer> {
    const untilMs = this.life.monotonic() + lockWaitMs;
    for (;;) {
      if (this.#database.named(owner) !== undefined) return { kind: "taken" };
      const [id] = await this.#claim([owner]);
      if (id !== undefined) return { kind: "claimed", id };
      const isHopeless = this.#database.waiting.length === 0 || this.life.monotonic() > untilMs;
      if (isHopeless) return { kind: "none" };
      await this.life.sleep(lookEveryMs, this.life.forever);
    }
  }
}
