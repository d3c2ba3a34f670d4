import { LocalListeners } from "@slipway/server/claims";
import type { Random } from "@slipway/testkit/random";

import type { Life } from "../engine/life.ts";

/** The delivery of hints between replicas. */
export interface HintConditions {
  readonly delayMs: () => number;
  /** The probability that a hint is lost, or delivered twice. */
  readonly loss: () => number;
  readonly doubling: () => number;
}

/** The hints of one replica: delivered here immediately, and to the others if all goes well. */
export class ReplicaHints {
  readonly life: Life;
  readonly #bus: HintBus;
  readonly #listeners = new LocalListeners();
  /** True while its connection listens. */
  isListening = true;

  constructor(life: Life, bus: HintBus) {
    this.life = life;
    this.#bus = bus;
    bus.add(this);
    life.onEnd(() => bus.remove(this));
  }

  subscribe(topic: string, listener: (topic: string) => void): Disposable {
    return this.#listeners.add(topic, listener);
  }

  publish(topic: string): void {
    this.hear(topic);
    this.#bus.send(topic, this);
  }

  hear(topic: string): void {
    this.#listeners.hint(topic);
  }

  /** Treats its listening connection as restored: anything may have happened in between. */
  hearAll(): void {
    this.#listeners.hintAll();
  }
}

/** NOTIFY and LISTEN between the replicas. */
export class HintBus {
  readonly #replicas = new Set<ReplicaHints>();
  readonly #random: Random;
  readonly #conditions: HintConditions;

  constructor(random: Random, conditions: HintConditions) {
    this.#random = random;
    this.#conditions = conditions;
  }

  add(replica: ReplicaHints): void {
    this.#replicas.add(replica);
  }

  remove(replica: ReplicaHints): void {
    this.#replicas.delete(replica);
  }

  /** Sends to all replicas except the sender; hints of a commit have none. */
  send(topic: string, sender: ReplicaHints | undefined): void {
    const { loss, doubling, delayMs } = this.#conditions;
    for (const replica of this.#replicas) {
      if (replica === sender) continue;
      if (this.#random.chance(loss())) continue;
      const times = this.#random.chance(doubling()) ? 2 : 1;
      for (let time = 0; time < times; time += 1) {
        replica.life.after(delayMs(), () => {
          if (replica.isListening) replica.hear(topic);
        });
      }
    }
  }
}
