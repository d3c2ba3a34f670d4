import type { Listener } from "./pubsub.ts";

/** The listeners of this process, by topic. */
export class LocalListeners {
  readonly #byTopic = new Map<string, Set<Listener>>();

  add(topic: string, listener: Listener): Disposable {
    const listeners = this.#byTopic.get(topic) ?? new Set();
    this.#byTopic.set(topic, listeners);
    listeners.add(listener);
    return {
      [Symbol.dispose]: () => {
        listeners.delete(listener);
        if (listeners.size === 0 && this.#byTopic.get(topic) === listeners)
          this.#byTopic.delete(topic);
      },
    };
  }

  hint(topic: string): void {
    for (const listener of this.#byTopic.get(topic) ?? []) listener(topic);
    const ofKind = `${topic.slice(0, topic.indexOf(":"))}:*`;
    if (ofKind === topic) return;
    for (const listener of this.#byTopic.get(ofKind) ?? []) listener(topic);
  }

  /** Hints all listeners after a gap: anything may have happened. */
  hintAll(): void {
    for (const topic of this.#byTopic.keys()) this.hint(topic);
  }
}
