import fc from "fast-check";
import { describe, expect, it } from "vitest";

import {
  decideReinit,
  type ReinitStream,
  type ReinitView,
  repeatMs,
  settledMs,
  unconnectedMs,
} from "./decide.ts";

type Live = Extract<ReinitView, { type: "live" }>;

const nowMs = 1_000_000;

function live(changes: Partial<Live> = {}): Live {
  return {
    type: "live",
    agentId: "row",
    workspaceId: "workspace",
    ownerId: "ann",
    standing: "claimed",
    isOwed: true,
    createdAtMs: nowMs - 60_000,
    connectedSinceMs: undefined,
    disconnectedAtMs: undefined,
    sentAtMs: undefined,
    wasReceived: false,
    nowMs,
    ...changes,
  };
}

const older: ReinitStream = { agentId: "row before", wasClaiming: false, waits: true, ageMs: 0 };
const young: ReinitStream = { ...older, agentId: "row" };
const send = { type: "send", agentId: "row", ownerId: "ann" };

describe("decideReinit", () => {
  it("ends the stream of a token that is nobody's any more", () => {
    expect(decideReinit({ type: "gone" }, young)).toEqual({ type: "end" });
  });

  it("waits while nobody has claimed the workspace, and until the claim's build has succeeded", () => {
    for (const standing of ["prebuild", "claiming"] as const) {
      for (const waits of [true, false]) {
        expect(decideReinit(live({ standing, isOwed: false }), { ...young, waits })).toEqual({
          type: "wait",
        });
      }
    }
  });

  it("refuses where nothing is owed or can be, but only an agent that takes that for an answer", () => {
    for (const standing of ["never-a-prebuild", "claimed"] as const) {
      const view = live({ standing, isOwed: false });
      expect(decideReinit(view, young)).toEqual({ type: "refuse" });
      expect(decideReinit(view, { ...young, waits: false })).toEqual({ type: "wait" });
    }
  });

  it("tells a process that asked before its new row was there at once", () => {
    expect(decideReinit(live(), older)).toEqual(send);
    expect(decideReinit(live(), { ...older, waits: false })).toEqual(send);
  });

  it("gives a process that may be new the time to begin its life", () => {
    const connected = live({ connectedSinceMs: nowMs - 2_000 });
    expect(decideReinit(connected, { ...young, ageMs: 2_000 })).toEqual({
      type: "wait-for",
      ms: settledMs - 2_000,
    });
    expect(decideReinit(connected, { ...young, ageMs: 1_000 })).toEqual({
      type: "wait-for",
      ms: settledMs - 1_000,
    });
    expect(
      decideReinit(live({ connectedSinceMs: nowMs - settledMs }), { ...young, ageMs: settledMs }),
    ).toEqual(send);
  });

  it("gives one that asked during the claim's build the same time, from when the row was there", () => {
    const during = { ...older, wasClaiming: true, ageMs: 60_000 };
    const connected = { createdAtMs: nowMs - 1_000, connectedSinceMs: nowMs - 1_000 };
    expect(decideReinit(live(connected), during)).toEqual({ type: "wait-for", ms: 4_000 });
    const unconnected = { createdAtMs: nowMs - unconnectedMs };
    expect(decideReinit(live(unconnected), during)).toEqual(send);
  });

  it("gives one that does not connect longer", () => {
    expect(decideReinit(live(), { ...young, ageMs: 14_000 })).toEqual({
      type: "wait-for",
      ms: 1_000,
    });
    expect(decideReinit(live(), { ...young, ageMs: unconnectedMs })).toEqual(send);
  });

  it("counts the present session alone, however long ago the row was connected before", () => {
    const lost = live({ disconnectedAtMs: nowMs - 40_000 });
    const age = { ...young, ageMs: 6_000 };
    expect(decideReinit(lost, age)).toEqual({ type: "wait-for", ms: unconnectedMs - 6_000 });
    const back = live({ connectedSinceMs: nowMs - 1_000 });
    expect(decideReinit(back, { ...young, ageMs: 30_000 })).toEqual({
      type: "wait-for",
      ms: settledMs - 1_000,
    });
    const lostJustNow = live({ disconnectedAtMs: nowMs - 1_000 });
    expect(decideReinit(lostJustNow, { ...young, ageMs: 30_000 })).toEqual({
      type: "wait-for",
      ms: unconnectedMs - 1_000,
    });
  });

  it("tells a row once a minute", () => {
    expect(decideReinit(live({ sentAtMs: nowMs - 20_000 }), older)).toEqual({
      type: "wait-for",
      ms: repeatMs - 20_000,
    });
    expect(decideReinit(live({ sentAtMs: nowMs - repeatMs }), older)).toEqual(send);
  });

  it("tells a row no more that was seen to end its life before, however long that takes", () => {
    const view = live({ sentAtMs: nowMs - 10 * repeatMs, wasReceived: true });
    expect(decideReinit(view, older)).toEqual({ type: "wait" });
    expect(decideReinit(view, { ...young, ageMs: 10 * repeatMs })).toEqual({ type: "wait" });
  });

  it("never refuses or tells against the state, and always comes to an end of waiting", () => {
    const views = fc.record({
      standing: fc.constantFrom<Live["standing"]>(
        "never-a-prebuild",
        "prebuild",
        "claiming",
        "claimed",
      ),
      isOwed: fc.boolean(),
      createdAtMs: fc.integer({ min: 0, max: nowMs }),
      connectedSinceMs: fc.option(fc.integer({ min: 0, max: nowMs }), { nil: undefined }),
      disconnectedAtMs: fc.option(fc.integer({ min: 0, max: nowMs }), { nil: undefined }),
      sentAtMs: fc.option(fc.integer({ min: 0, max: nowMs }), { nil: undefined }),
      wasReceived: fc.boolean(),
    });
    const streams = fc.record({
      agentId: fc.constantFrom("row", "row before"),
      wasClaiming: fc.boolean(),
      waits: fc.boolean(),
      ageMs: fc.integer({ min: 0, max: 200_000 }),
    });
    fc.assert(
      fc.property(views, streams, (changes, stream) => {
        const view = live(changes);
        const decision = decideReinit(view, stream);
        const isOwed = view.standing === "claimed" && view.isOwed;
        const mayBecomeOwed = view.standing === "prebuild" || view.standing === "claiming";
        const mayBeRefused = !isOwed && !mayBecomeOwed && stream.waits;
        expect(decision.type !== "refuse" || mayBeRefused).toBe(true);
        expect(decision.type !== "send" || (isOwed && !view.wasReceived)).toBe(true);
        const waitMs = decision.type === "wait-for" ? decision.ms : repeatMs;
        expect(waitMs).toBeGreaterThan(0);
        expect(waitMs).toBeLessThanOrEqual(repeatMs);
      }),
    );
  });
});
