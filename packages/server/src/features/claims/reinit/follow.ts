import { errorText, Wake } from "@slipway/runtime";

import type { Platform } from "../../../platform/platform.ts";
import { topics, type PubSub } from "../../../platform/pubsub/pubsub.ts";
import type { decideReinit, ReinitStream, ReinitView } from "./decide.ts";

/** The dependencies of the answer to an agent. */
export interface ReinitNeeds extends Pick<Platform, "clock" | "logger"> {
  readonly hints: Pick<PubSub, "subscribe">;
  /** Reads the current state by the agent's token. */
  readonly readView: () => Promise<ReinitView>;
  /** Records that a frame is sent for the row now; false when one was already sent within the last minute. */
  readonly markSent: (agentId: string) => Promise<boolean>;
  readonly decide: typeof decideReinit;
  readonly random: () => number;
}

export interface ReinitRequest {
  readonly workspaceId: string;
  /** The row that the token belonged to when the request came. */
  readonly agentId: string;
  /** True if a claim was in progress by then. */
  readonly wasClaiming: boolean;
  readonly waits: boolean;
}

/** The messages to the agent, in this order: `open` at once unless it is refused, then at most one of the others. */
export type ReinitAnswer =
  | { readonly type: "open" }
  | { readonly type: "frame"; readonly workspaceId: string; readonly ownerId: string }
  | { readonly type: "refuse" }
  | { readonly type: "end" };

/** The time after which the state is read again without a notification; a third of it is random. */
const readAgainMs = 45_000;
const chance = 1 / 3;
/** The delay after a failed read, or when another stream sends the frame; up to twice as long, at random. */
const retryMs = 1_000;

/**
 * Answers an agent until nothing can change the answer any more (docs/claims.md). Subscribes before the first read, so
 * that no change is missed. The first read throws its error; later ones are retried.
 *
 *   read ── refused ──► refuse ─ end
 *    │
 *    ▼  open                         ┌─ wait: until a hint, the time named, or 30–60 s
 *   read again ◄─────────────────────┘
 *    ├── owed, marked ──► frame ─ end
 *    ├── refused ────────► end
 *    └── gone ───────────► end
 */
export async function* followReinit(
  needs: ReinitNeeds,
  request: ReinitRequest,
  signal: AbortSignal,
): AsyncGenerator<ReinitAnswer, void, undefined> {
  const { hints, clock, random } = needs;
  const wake = new Wake();
  using subscriptions = new DisposableStack();
  for (const topic of [topics.claim(request.workspaceId), topics.workspace(request.workspaceId)]) {
    subscriptions.use(hints.subscribe(topic, () => wake.wake()));
  }
  const openedAt = clock.monotonic();
  let isOpen = false;
  for (;;) {
    const { agentId, wasClaiming, waits } = request;
    const stream = { agentId, wasClaiming, waits, ageMs: clock.monotonic() - openedAt };
    const next = await decideOnce(needs, stream, isOpen);
    signal.throwIfAborted();
    if (next.type === "refuse" && !isOpen) return yield next;
    if (!isOpen) yield { type: "open" };
    isOpen = true;
    if (next.type !== "wait") return yield next.type === "refuse" ? { type: "end" } : next;
    const jittered = readAgainMs * (1 + chance * (2 * random() - 1));
    await wake.wait(Math.min(next.ms, jittered), clock, signal);
  }
}

type Next =
  | Exclude<ReinitAnswer, { type: "open" }>
  /** The time to wait at most, in milliseconds. */
  | { readonly type: "wait"; readonly ms: number };

async function decideOnce(
  needs: ReinitNeeds,
  stream: ReinitStream,
  isOpen: boolean,
): Promise<Next> {
  try {
    const view = await needs.readView();
    const decision = needs.decide(view, stream);
    switch (decision.type) {
      case "wait":
        return { type: "wait", ms: Number.POSITIVE_INFINITY };
      case "wait-for":
        return { type: "wait", ms: decision.ms };
      case "refuse":
      case "end":
        return { type: decision.type };
      case "send": {
        if (view.type === "gone" || !(await needs.markSent(decision.agentId))) {
          return retryLater(needs);
        }
        return { type: "frame", workspaceId: view.workspaceId, ownerId: decision.ownerId };
      }
    }
  } catch (error) {
    if (!isOpen) throw error;
    needs.logger.warn({ error: errorText(error) }, "cannot read the state of a reinit, retrying");
    return retryLater(needs);
  }
}

function retryLater({ random }: ReinitNeeds): Next {
  return { type: "wait", ms: retryMs * (1 + random()) };
}
