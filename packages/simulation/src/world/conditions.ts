import type { Random } from "@slipway/testkit/random";

import type { Hazard, Profile } from "./profile.ts";

/** The world's present hazards: those of its profile, and none while it is calm. */
export class Conditions {
  readonly #random: Random;
  readonly #profile: Profile;
  isCalm = true;

  constructor(random: Random, profile: Profile) {
    this.#random = random;
    this.#profile = profile;
  }

  /** Reports whether this hazard applies now. */
  has(hazard: Hazard): boolean {
    return !this.isCalm && this.#profile.hazards.has(hazard);
  }

  /** Reports whether this hazard applies and strikes, with a probability. */
  strikes(hazard: Hazard, probability: number): boolean {
    return this.has(hazard) && this.#random.chance(probability);
  }

  /**
   * Returns the delay of a message, statement or answer, in milliseconds. With long delays anything can overtake
   * anything.
   */
  readonly delayMs = (): number => {
    const kind = this.#random.next();
    const isSlow = this.has("slow");
    if (isSlow && kind < 0.005) return this.#random.between(1_000, 20_000);
    if (kind < (isSlow ? 0.1 : 0.02)) return this.#random.between(5, 500);
    return this.#random.between(0.1, 3);
  };

  readonly hintLoss = (): number => {
    // A network without hints stays so: everything must work without them.
    if (this.#profile.hazards.has("no-hints")) return 1;
    return this.has("hint-loss") ? 0.3 : 0;
  };

  readonly hintDoubling = (): number => (this.has("hint-doubling") ? 0.3 : 0);

  readonly databaseBreaks = (): number => (this.has("database-cut") ? 0.004 : 0);

  readonly buffers = (): boolean => this.strikes("buffering-proxy", 0.3);
}
