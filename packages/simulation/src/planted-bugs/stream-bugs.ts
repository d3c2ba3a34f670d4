import type { Clock } from "@slipway/runtime";
import type { ReinitDecision, ReinitStream, ReinitView } from "@slipway/server/claims";

import { type Rules, ownRules } from "../model/rules.ts";
import type { Hazard } from "../world/profile.ts";
import type { PlantedBug } from "./planted-bug.ts";

/** Agents that obey frames; the product's own would recover from most of these bugs by themselves. */
const framesAgent = { ...ownRules.agent, kind: "frames" } as const;
const framesRules: Rules = { ...ownRules, agent: framesAgent };

/** The hazard of a hanging stop script, for which such agents wait forever (row 27). */
const patient = "hanging-stop-script";

/**
 * The hazards that delay a new process's report: it is then indistinguishable from one that waits for a notification
 * (docs/claims.md).
 */
const late = ["slow", "half-open", "buffering-proxy"] as const;

/** The hazards that end a connection or a process, and so repair a lost event. */
const lasting = {
  without: [
    patient,
    "cut",
    "half-open",
    "agent-crash",
    "replica-crash",
    "compute-replaced",
    "database-cut",
    "user-builds",
    "slow",
  ],
} as const satisfies { readonly without: readonly Hazard[] };

/** Waits for hints only, without polling. */
function onlyHints(clock: Clock): Clock {
  return {
    now: () => clock.now(),
    monotonic: () => clock.monotonic(),
    sleep: (ms, signal) => clock.sleep(ms > 30_000 ? Number.MAX_SAFE_INTEGER : ms, signal),
  };
}

/** Answers from events alone, as releases before v2.32 do: missed events are lost. */
function decideByEvent(view: ReinitView, stream: ReinitStream): ReinitDecision {
  const decision = ownRules.decideReinit(view, stream);
  const isMissed = decision.type === "send" && stream.agentId === decision.agentId;
  return isMissed ? { type: "wait" } : decision;
}

/** Notifies every process of a claimed workspace, as releases from v2.32 to v2.34.3 do. */
function decideAlways(view: ReinitView, stream: ReinitStream): ReinitDecision {
  if (view.type === "live" && view.standing === "claimed") {
    return { type: "send", agentId: view.agentId, ownerId: view.ownerId };
  }
  return ownRules.decideReinit(view, stream);
}

/** Refuses all agents except those whose newest build is the claim's (row 38), whatever is owed. */
function seenByNewestBuild(...[view, token, nowMs]: Parameters<Rules["look"]>): ReinitView {
  const seen = ownRules.look(view, token, nowMs, { first: undefined, isHinted: false });
  if (seen.type === "gone" || seen.standing !== "claimed") return seen;
  const newest = view.newest(seen.workspaceId);
  const before = newest && view.builds(seen.workspaceId)[1];
  const isClaim = newest?.transition === "start" && before?.ownerId !== newest.ownerId;
  return isClaim ? seen : { ...seen, isOwed: false };
}

/** Bugs in the answer to `/reinit`, and in agents that treat it as an order. */
export const streamBugs: readonly PlantedBug[] = [
  {
    name: "lost-event",
    summary: "an event that came while no stream was open is gone (released before v2.32; #22359)",
    breaks: ["L1", "L4"],
    requires: { with: ["cut"], without: [patient, "agent-crash", "compute-replaced"] },
    rules: { ...framesRules, decideReinit: decideByEvent },
  },
  {
    name: "reinit-on-every-connect",
    summary: "every process of a claimed workspace is told, for life (released in v2.32; #26548)",
    breaks: ["S4", "S5"],
    requires: { with: ["agent-crash"], without: [patient, ...late] },
    rules: { ...framesRules, decideReinit: decideAlways, markReinitSent: () => true },
  },
  {
    name: "seeded-although-replaced",
    summary: "a process that the claim's build started is told to start over (row 24)",
    breaks: ["S4", "S5"],
    requires: {
      with: ["compute-replaced"],
      without: [patient, ...late, "agent-crash", "build-failure", "build-cancel"],
      claimsAtOnce: false,
    },
    rules: { ...framesRules, decideReinit: decideAlways, markReinitSent: () => true },
  },
  {
    name: "frame-without-owner",
    summary: "a frame that names no owner, then one that does: two for the same claim (row 29)",
    breaks: ["S4", "S5"],
    requires: { ...lasting },
    rules: {
      ...framesRules,
      namesOwner: (random) => random() < 0.5,
      decideReinit: decideAlways,
      markReinitSent: () => true,
    },
  },
  {
    name: "half-open-stream",
    summary: "an agent waits forever on a stream that is not there any more (row 5)",
    breaks: ["L1", "L4"],
    requires: { with: ["half-open"], without: [patient, "cut", "agent-crash", "compute-replaced"] },
    rules: { ...ownRules, agent: { ...framesAgent, readDeadlineMs: Number.POSITIVE_INFINITY } },
  },
  {
    name: "buffered-frame",
    summary: "a proxy keeps the frame of a response that never ends (row 8)",
    breaks: ["L1", "L4"],
    requires: { ...lasting, with: ["buffering-proxy"] },
    rules: {
      ...ownRules,
      endsAfterFrame: false,
      agent: { ...framesAgent, readDeadlineMs: Number.POSITIVE_INFINITY },
    },
  },
  {
    name: "crash-before-publish",
    summary: "the server ends between the commit and its event; open streams never look (row 14)",
    breaks: ["L1", "L4"],
    requires: {
      with: ["replica-crash"],
      without: [
        patient,
        "cut",
        "half-open",
        "agent-crash",
        "compute-replaced",
        "hint-loss",
        "no-hints",
        "listener-loss",
        // Slow statements leave time for few claims.
        "slow",
      ],
      claimsAtOnce: false,
      replicas: 3,
    },
    rules: { ...framesRules, streamClock: onlyHints },
  },
  {
    name: "publish-fails",
    summary: "the event is not sent, which is only logged (rows 15 and 16)",
    breaks: ["L1", "L4"],
    requires: { ...lasting, with: ["hint-loss"] },
    rules: { ...framesRules, streamClock: onlyHints },
  },
  {
    name: "listener-lost",
    summary: "the signal that events may have been dropped is dropped (row 18)",
    breaks: ["L1", "L4"],
    requires: { ...lasting, with: ["listener-loss"] },
    rules: {
      ...framesRules,
      streamClock: onlyHints,
      hearsAllAfterLoss: false,
    },
  },
  {
    name: "owner-read-before-subscribing",
    summary: "the owner is read before the subscription, and not again (row 17)",
    breaks: ["L1", "L4"],
    requires: { ...lasting },
    rules: {
      ...framesRules,
      look: (view, token, nowMs, past) =>
        past.isHinted || past.first === undefined
          ? ownRules.look(view, token, nowMs, past)
          : past.first,
    },
  },
  {
    name: "refused-by-the-newest-build",
    summary: "a build that the user makes before the reinit ends the polling (row 38)",
    breaks: ["S8"],
    requires: { with: ["user-builds", "cut"] },
    rules: { ...ownRules, look: seenByNewestBuild },
  },
];
