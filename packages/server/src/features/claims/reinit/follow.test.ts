import { silentLogger } from "@slipway/runtime";
import { createFakeClock } from "@slipway/testkit";
import { describe, expect, it } from "vitest";

import { LocalListeners } from "../../../platform/pubsub/local-listeners.ts";
import { topics } from "../../../platform/pubsub/pubsub.ts";
import { decideReinit, type ReinitView } from "./decide.ts";
import { followReinit } from "./follow.ts";

type Live = Extract<ReinitView, { type: "live" }>;

const waiting: Live = {
  type: "live",
  agentId: "row before",
  workspaceId: "workspace",
  ownerId: "prebuilds",
  standing: "prebuild",
  isOwed: false,
  createdAtMs: 0,
  connectedSinceMs: 0,
  disconnectedAtMs: undefined,
  sentAtMs: undefined,
  wasReceived: false,
  nowMs: 0,
};
const owed: Live = {
  ...waiting,
  agentId: "row",
  ownerId: "ann",
  standing: "claimed",
  isOwed: true,
};
const frame = { type: "frame", workspaceId: "workspace", ownerId: "ann" };
const claimed = topics.claim("workspace");

/** Opens a stream over a state that the test sets; `looks` counts the reads. */
function open({ view, waits = true }: { view: ReinitView; waits?: boolean }) {
  const listeners = new LocalListeners();
  const clock = createFakeClock(0);
  const ended = new AbortController();
  const state = { view, looks: 0, grants: 0, fails: false, isGranted: true };
  const answers = followReinit(
    {
      hints: { subscribe: (topic, listener) => listeners.add(topic, listener) },
      readView: async () => {
        state.looks += 1;
        if (state.fails) throw new Error("the database is away");
        return state.view;
      },
      markSent: async () => {
        state.grants += 1;
        return state.isGranted;
      },
      decide: decideReinit,
      clock,
      random: () => 0.5,
      logger: silentLogger,
    },
    { workspaceId: "workspace", agentId: "row before", wasClaiming: false, waits },
    ended.signal,
  );
  return { answers, state, listeners, clock, ended };
}

async function settled(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

describe("followReinit", () => {
  it("opens at once and sends one frame at the hint of the claim, then ends", async () => {
    const { answers, state, listeners } = open({ view: waiting });
    expect((await answers.next()).value).toEqual({ type: "open" });
    const next = answers.next();
    await settled();
    state.view = owed;
    listeners.hint(claimed);
    expect((await next).value).toEqual(frame);
    expect((await answers.next()).done).toBe(true);
    expect(state.grants).toBe(1);
  });

  it("sends it without any hint within a minute", async () => {
    const { answers, state, clock } = open({ view: waiting });
    await answers.next();
    const next = answers.next();
    await settled();
    state.view = owed;
    await clock.advance(60_000);
    expect((await next).value).toEqual(frame);
  });

  it("does not miss what happens between its first look and its first wait", async () => {
    const { answers, state, listeners } = open({ view: waiting });
    const first = answers.next();
    state.view = owed;
    listeners.hint(claimed);
    await first;
    expect((await answers.next()).value).toEqual(frame);
  });

  it("refuses at the first look, and ends an open stream, when nothing can be owed", async () => {
    const never = open({ view: { ...waiting, standing: "never-a-prebuild" } });
    expect((await never.answers.next()).value).toEqual({ type: "refuse" });
    expect((await never.answers.next()).done).toBe(true);

    const { answers, state, listeners } = open({ view: waiting });
    await answers.next();
    const next = answers.next();
    await settled();
    state.view = { ...owed, isOwed: false };
    listeners.hint(claimed);
    expect((await next).value).toEqual({ type: "end" });
  });

  it("stays open for an agent that does not take a refusal", async () => {
    const { answers, state, clock } = open({
      view: { ...waiting, standing: "never-a-prebuild" },
      waits: false,
    });
    expect((await answers.next()).value).toEqual({ type: "open" });
    let isOver = false;
    void answers.next().then(() => (isOver = true));
    await settled();
    await clock.advance(600_000);
    expect(isOver).toBe(false);
    expect(state.looks).toBeGreaterThan(10);
  });

  it("ends when the workspace is deleted", async () => {
    const { answers, state, listeners } = open({ view: waiting });
    await answers.next();
    const next = answers.next();
    await settled();
    state.view = { type: "gone" };
    listeners.hint(topics.workspace("workspace"));
    expect((await next).value).toEqual({ type: "end" });
  });

  it("looks again later when another stream was given the frame", async () => {
    const { answers, state, clock } = open({ view: owed });
    state.isGranted = false;
    await answers.next();
    const next = answers.next();
    await settled();
    state.isGranted = true;
    await clock.advance(2_000);
    expect((await next).value).toEqual(frame);
    expect(state.grants).toBeGreaterThan(1);
  });

  it("lives through an outage of the database, but for its first look", async () => {
    const late = open({ view: waiting });
    await late.answers.next();
    late.state.fails = true;
    const next = late.answers.next();
    await settled();
    late.listeners.hint(claimed);
    await settled();
    late.state.fails = false;
    late.state.view = owed;
    await late.clock.advance(2_000);
    expect((await next).value).toEqual(frame);

    const early = open({ view: waiting });
    early.state.fails = true;
    await expect(early.answers.next()).rejects.toThrow("the database is away");
  });

  it("leaves nothing behind when its reader goes", async () => {
    const { answers, listeners, clock, ended, state } = open({ view: waiting });
    await answers.next();
    const next = answers.next();
    await settled();
    ended.abort(new Error("reader is gone"));
    await expect(next).rejects.toThrow("reader is gone");
    expect(clock.sleepers).toBe(0);
    const { looks } = state;
    listeners.hint(claimed);
    await settled();
    expect(state.looks).toBe(looks);
  });
});
