import type { Mutant } from "../mutant.ts";

const pubsub = "packages/server/src/platform/pubsub";
const http = "packages/server/src/platform/http";
const unit = (path: string) => ({ project: "unit", files: [path] }) as const;

/** Bugs in streams, and in the reads that their watchers share. */
export const streams: readonly Mutant[] = [
  {
    name: "joins-a-read-under-way",
    breaks: "a watcher sees what was there before the hint that woke it",
    file: `${pubsub}/gathered-reads.ts`,
    find: "    reads.next ??= reads.running.then(() => this.#begin(key, read));\n    return reads.next;",
    replace: "    return reads.running as Promise<T>;",
    suite: unit(`${pubsub}/gathered-reads.test.ts`),
  },
  {
    name: "failed-read-stays",
    breaks: "a read that failed fails for all that come after it",
    file: `${pubsub}/gathered-reads.ts`,
    find: "        () => this.#end(key, reads),\n        () => this.#end(key, reads),",
    replace: "        () => this.#end(key, reads),\n        undefined,",
    suite: unit(`${pubsub}/gathered-reads.test.ts`),
  },
  {
    name: "reads-are-never-forgotten",
    breaks: "each thing that was ever read stays in memory",
    file: `${pubsub}/gathered-reads.ts`,
    find: "if (reads.next === undefined && this.#reads.get(key) === reads) this.#reads.delete(key);",
    replace:
      "if (reads.next === undefined && this.#reads.get(key) !== reads) this.#reads.delete(key);",
    suite: unit(`${pubsub}/gathered-reads.test.ts`),
  },
  {
    name: "watch-without-looking-by-itself",
    breaks: "a watcher whose hint is lost never looks again",
    file: `${pubsub}/watch.ts`,
    find: "wake.wait(spread(options.maxWaitMs),",
    replace: "wake.wait(2 ** 31 - 1,",
    suite: unit(`${pubsub}/watch.test.ts`),
  },
  {
    name: "watch-of-one-topic",
    breaks: "a watcher of several things hears of the first only",
    file: `${pubsub}/watch.ts`,
    find: "for (const topic of options.topics) {",
    replace: "for (const topic of options.topics.slice(0, 1)) {",
    suite: unit(`${pubsub}/watch.test.ts`),
  },
  {
    name: "shared-watch-goes-on",
    breaks: "a thing that nobody watches any more is read for ever",
    file: `${pubsub}/shared-watches.ts`,
    find: "if (this.#watchers.size === 0) this.#end();",
    replace: "",
    suite: unit(`${pubsub}/shared-watches.test.ts`),
  },
  {
    name: "shared-watch-of-the-dead",
    breaks: "a watcher that joins after a failure gets the failure",
    file: `${pubsub}/shared-watches.ts`,
    find: "if (this.#open.get(key) === shared) this.#open.delete(key);",
    replace: "if (this.#open.get(key) !== shared) this.#open.delete(key);",
    suite: unit(`${pubsub}/shared-watches.test.ts`),
  },
  {
    name: "shared-watch-repeats-itself",
    breaks: "a watcher gets the same read again and again",
    file: `${pubsub}/shared-watches.ts`,
    find: "      round = found.round;\n",
    replace: "      round = Math.min(round, found.round);\n",
    suite: unit(`${pubsub}/shared-watches.test.ts`),
  },
  {
    name: "shared-watch-misses-a-change",
    breaks: "a change during a watcher's first read is lost",
    file: `${pubsub}/shared-watches.ts`,
    find: "    let round = shared.begun;\n    yield await watched.read();\n",
    replace:
      "    const first = await watched.read();\n    let round = shared.begun;\n    yield first;\n",
    suite: unit(`${pubsub}/shared-watches.test.ts`),
  },
  {
    name: "listener-of-a-reused-topic",
    breaks: "a listener that leaves late takes the topic from those that came after it",
    file: `${pubsub}/local-listeners.ts`,
    find: "if (listeners.size === 0 && this.#byTopic.get(topic) === listeners)",
    replace: "if (listeners.size === 0)",
    suite: unit(`${pubsub}/local-listeners.test.ts`),
  },
  {
    name: "stream-floods-a-slow-reader",
    breaks: "events for a reader who does not read pile up in memory",
    file: `${http}/event-stream.ts`,
    find: '    await once(reply.raw, "drain", { signal }).catch(() => undefined);\n',
    replace: "",
    suite: unit(`${http}/event-stream.test.ts`),
  },
  {
    name: "stream-keeps-a-dead-reader",
    breaks: "a reader who takes nothing any more keeps its stream for ever",
    file: `${http}/event-stream.ts`,
    find: "    if (reply.raw.writableLength > 0) request.raw.socket.destroy();\n    else write",
    replace: "    write",
    suite: unit(`${http}/event-stream.test.ts`),
  },
];
