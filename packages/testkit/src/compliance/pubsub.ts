import type { LocalHints, PubSub } from "@slipway/server/claims";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { countHints } from "./count-hints.ts";

/** The hints of one replica. The suite closes them, in some tests twice. */
export type ReplicaHints = PubSub & LocalHints & AsyncDisposable;

/** Replicas under test that send hints to each other. */
export interface PubSubUnderTest extends AsyncDisposable {
  /** Opens another replica; resolves once it receives hints from the others. */
  openReplica(): Promise<ReplicaHints>;
}

/**
 * The guarantees of the `PubSub` and `LocalHints` interfaces while nothing fails, for every implementation. `open` is
 * called for each test.
 */
export function describePubSub(name: string, open: () => Promise<PubSubUnderTest>): void {
  describe(`hints ${name}`, () => {
    let place: PubSubUnderTest;
    let one: ReplicaHints;
    let two: ReplicaHints;

    beforeEach(async () => {
      place = await open();
      [one, two] = await Promise.all([place.openReplica(), place.openReplica()]);
    });

    afterEach(async () => {
      await Promise.all([one[Symbol.asyncDispose](), two[Symbol.asyncDispose]()]);
      await place[Symbol.asyncDispose]();
    });

    /** Resolves once the other replica has received everything that was published before. */
    async function settle(): Promise<void> {
      using last = countHints(two, "last");
      const heard = last.next();
      one.publish("last");
      await heard;
    }

    it("reach the replica itself at once, and the others soon", async () => {
      using own = countHints(one, "a");
      using other = countHints(two, "a");
      const hinted = other.next();
      one.publish("a");
      expect(own.count).toBe(1);
      await hinted;
      expect(other.count).toBe(1);
    });

    it("reach only subscribers of their topic, and all of them", async () => {
      using first = countHints(two, "a");
      using second = countHints(two, "a");
      using elsewhere = countHints(two, "b");
      const hinted = Promise.all([first.next(), second.next()]);
      one.publish("a");
      await hinted;
      await settle();
      expect(elsewhere.count).toBe(0);
    });

    it("reach subscribers of all topics of a kind, who learn which", async () => {
      const heard: string[] = [];
      using _ = two.subscribe("user:*", (topic) => heard.push(topic));
      for (const topic of ["user:ann", "users:bob", "user", "user:bob"]) one.publish(topic);
      await settle();
      expect(new Set(heard)).toEqual(new Set(["user:ann", "user:bob"]));
      two.hintHere("user:*");
      expect(heard.at(-1)).toBe("user:*");
    });

    it("reach every topic of many", async () => {
      const topics = Array.from({ length: 500 }, (_, index) => `workspace:${index}`);
      const hints = topics.map((topic) => countHints(two, topic));
      const all = Promise.all(hints.map((hint) => hint.next()));
      for (const topic of topics) one.publish(topic);
      await all;
      for (const hint of hints) expect(hint.count).toBeGreaterThan(0);
    });

    it("reach nobody who has unsubscribed, even during a hint", async () => {
      const left = countHints(two, "a");
      left[Symbol.dispose]();
      left[Symbol.dispose]();
      let heard = 0;
      const leaving = one.subscribe("a", () => {
        heard += 1;
        leaving[Symbol.dispose]();
      });
      using staying = countHints(one, "a");
      one.publish("a");
      one.publish("a");
      await settle();
      expect([left.count, heard, staying.count]).toEqual([0, 1, 2]);
    });

    it("stay in the replica that hints here alone", async () => {
      using own = countHints(one, "a");
      using other = countHints(two, "a");
      one.hintHere("a");
      expect(own.count).toBe(1);
      await settle();
      expect(other.count).toBe(0);
    });

    it("come from no replica that is closed", async () => {
      using other = countHints(two, "a");
      await one[Symbol.asyncDispose]();
      one.publish("a");
      await using three = await place.openReplica();
      const hinted = other.next();
      three.publish("a");
      await hinted;
      expect(other.count).toBe(1);
    });
  });
}
