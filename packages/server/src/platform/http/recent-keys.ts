import type { Clock } from "@slipway/runtime";

/** The maximum number of remembered keys; beyond it the oldest are forgotten. */
const maxKeys = 50_000;

/** Values by key, each remembered for a while. */
export class RecentKeys<T> {
  readonly #clock: Pick<Clock, "now">;
  readonly #rememberedMs: number;
  readonly #entries = new Map<string, { readonly value: T; readonly until: number }>();

  constructor(clock: Pick<Clock, "now">, rememberedMs: number) {
    this.#clock = clock;
    this.#rememberedMs = rememberedMs;
  }

  get(key: string): T | undefined {
    const entry = this.#entries.get(key);
    return entry !== undefined && this.#clock.now() < entry.until ? entry.value : undefined;
  }

  set(key: string, value: T): void {
    // The oldest come first.
    this.#entries.delete(key);
    this.#entries.set(key, { value, until: this.#clock.now() + this.#rememberedMs });
    if (this.#entries.size <= maxKeys) return;
    const [oldest] = this.#entries.keys();
    if (oldest !== undefined) this.#entries.delete(oldest);
  }
}
