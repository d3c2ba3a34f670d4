import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { decide, follow, prebuildsOwner } from "./identity.ts";
import type { Decision, Identity } from "./identity.ts";

const as = (ownerName: string, agentId: string): Identity => ({ ownerName, agentId });
const pool = as(prebuildsOwner, "a1");

describe("decide", () => {
  it.each<[string, Identity, Identity | undefined, boolean, Decision]>([
    ["runs for whoever is first", pool, undefined, false, "run"],
    ["runs for a user as well", as("ada", "a1"), undefined, true, "run"],
    ["takes the same for a duplicate", as("ada", "a1"), as("ada", "a1"), true, "nothing"],
    ["lets a later build of the same owner be", as("ada", "a2"), as("ada", "a1"), true, "nothing"],
    ["waits while nobody has claimed", pool, pool, false, "not-yet"],
    ["waits when a frame comes too early", pool, pool, true, "not-yet"],
    ["waits over a rebuild of the pool", as(prebuildsOwner, "a2"), pool, false, "not-yet"],
    ["reinits for the claimer without a frame", as("ada", "a2"), pool, false, "reinit"],
    ["reinits for the claimer with a frame", as("ada", "a2"), pool, true, "reinit"],
    ["reinits when only the owner has changed", as("ada", "a1"), pool, false, "reinit"],
    ["takes a user's new name for no claim", as("eve", "a1"), as("ada", "a1"), true, "nothing"],
    ["reinits for another user when asked", as("eve", "a2"), as("ada", "a1"), true, "reinit"],
    ["not for another user by itself", as("eve", "a2"), as("ada", "a1"), false, "nothing"],
    ["never back to the pool", as(prebuildsOwner, "a2"), as("ada", "a1"), true, "nothing"],
  ])("%s", (_name, manifest, ranAs, isAsked, decision) => {
    expect(decide(manifest, ranAs, isAsked)).toBe(decision);
  });
});

describe("follow", () => {
  it("goes with a new name and with a new id, one at a time", () => {
    let ranAs = as("ada", "a1");
    for (const next of [as("ada", "a2"), as("lovelace", "a2"), as("lovelace", "a3")]) {
      expect(decide(next, ranAs, true)).toBe("nothing");
      ranAs = follow(next, ranAs);
      expect(ranAs).toEqual(next);
    }
    expect(follow(as("eve", "a9"), ranAs)).toEqual(as("lovelace", "a3"));
  });
});

/** An event around an agent's process; events may occur in any order and number. */
type Step = "frame" | "manifest" | "asked manifest" | "rename" | "rebuild" | "claim" | "restart";
const steps = fc.array(
  fc.constantFrom<Step>(
    "frame",
    "manifest",
    "asked manifest",
    "rename",
    "rebuild",
    "claim",
    "restart",
  ),
  { maxLength: 40 },
);

interface World {
  truth: Identity;
  ranAs: Identity | undefined;
  isAsked: boolean;
  /** Owners for whom this process has run its start scripts; a user counts as one person under every name. */
  runs: string[];
}

function personOf({ ownerName }: Identity): string {
  return ownerName === prebuildsOwner ? "pool" : "claimer";
}

function take(world: World): void {
  const decision = decide(world.truth, world.ranAs, world.isAsked);
  world.isAsked = false;
  if (decision === "run" || decision === "reinit") {
    world.ranAs = world.truth;
    world.runs.push(personOf(world.truth));
  } else if (world.ranAs !== undefined) world.ranAs = follow(world.truth, world.ranAs);
}

function play(world: World, step: Step, index: number): void {
  const { ownerName, agentId } = world.truth;
  switch (step) {
    case "frame":
      world.isAsked = true;
      break;
    case "asked manifest":
      world.isAsked = true;
      take(world);
      break;
    case "manifest":
      take(world);
      break;
    case "rename":
      if (ownerName !== prebuildsOwner) {
        world.truth = as(`ada${index}`, agentId);
        // The session that the server then closes brings the manifest.
        take(world);
      }
      break;
    case "rebuild":
      world.truth = as(ownerName, `a${index}`);
      // This ends the session too, and a rename takes longer than the redial.
      take(world);
      break;
    case "claim":
      if (ownerName === prebuildsOwner) world.truth = as("ada", `a${index}`);
      break;
    case "restart":
      world.ranAs = undefined;
      world.isAsked = false;
      world.runs = [];
      break;
  }
}

describe("an agent that goes by its identity", () => {
  it("runs start scripts once for each owner, whatever comes in whatever order", () => {
    fc.assert(
      fc.property(steps, (sequence) => {
        const world: World = { truth: pool, ranAs: undefined, isAsked: false, runs: [] };
        for (const [index, step] of sequence.entries()) {
          play(world, step, index);
          expect([[], ["pool"], ["claimer"], ["pool", "claimer"]]).toContainEqual(world.runs);
        }
        // Once the manifest is seen again, the owner's scripts run, regardless of the owner.
        take(world);
        expect(world.runs.at(-1)).toBe(personOf(world.truth));
      }),
    );
  });
});
