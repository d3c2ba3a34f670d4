import type { ScriptStages, WaitForReinit } from "@slipway/agent/session";
import { Backoff, defaultBackoff } from "@slipway/runtime";

import type { Life } from "../engine/life.ts";
import type { Session } from "./session.ts";

export interface FramesAgentNeeds {
  readonly dial: (signal: AbortSignal) => Promise<Session>;
  readonly waitForReinit: WaitForReinit;
  readonly openScripts: (ownerName: string, agentId: string) => ScriptStages;
  readonly life: Life;
  readonly random: () => number;
}

const noSignal = new AbortController().signal;
/** For the last words of a session, in milliseconds. */
const flushMs = 5_000;

/**
 * An agent as those of Coder (`prebuilds.md` section 3.5): it starts over at each frame, whatever its manifest says, but for
 * one that names the owner of the frame before; then, and after a refusal, it asks no more.
 */
export async function runFramesAgent(needs: FramesAgentNeeds): Promise<void> {
  const { waitForReinit, life, random } = needs;
  const backoff = new Backoff(defaultBackoff, random);
  let lastOwnerId: string | undefined;
  let session = new FramesSession(needs);
  for (;;) {
    const answer = await waitForReinit(noSignal);
    switch (answer.kind) {
      case "event": {
        const { ownerId } = answer.event;
        if (ownerId !== undefined && ownerId === lastOwnerId) return;
        lastOwnerId = ownerId;
        await session.leave();
        session = new FramesSession(needs);
        backoff.reset();
        break;
      }
      case "not-a-prebuild":
        return;
      case "ended":
      case "unauthorized":
      case "failed":
        await life.sleep(backoff.next(), noSignal);
        break;
    }
  }
}

/** From its first manifest's start scripts to its end. */
class FramesSession {
  readonly #needs: FramesAgentNeeds;
  readonly #ended = new AbortController();
  readonly #states: string[] = [];
  #wake: () => void = () => undefined;
  #stages: ScriptStages | undefined;

  constructor(needs: FramesAgentNeeds) {
    this.#needs = needs;
    void this.#connect();
  }

  async leave(): Promise<void> {
    const stages = this.#stages;
    if (stages !== undefined) {
      this.#enter("shutting_down");
      await stages.close();
      await stages.stop(noSignal);
      this.#enter("off");
      await this.#needs.life.sleep(flushMs, noSignal);
    }
    this.#ended.abort(new Error("ended"));
  }

  #enter(state: string): void {
    this.#states.push(state);
    this.#wake();
  }

  async #connect(): Promise<void> {
    const { dial, life, random } = this.#needs;
    const { signal } = this.#ended;
    const backoff = new Backoff(defaultBackoff, random);
    while (!signal.aborted) {
      try {
        await this.#serve(await dial(signal));
      } catch {
        // Tried again.
      }
      await life.sleep(backoff.next(), signal).catch(() => undefined);
    }
  }

  async #serve(session: Session): Promise<void> {
    const { signal } = this.#ended;
    const over = session.closed.promise.then(() => "over" as const);
    signal.addEventListener("abort", () => session.close(), { once: true });
    const { ownerName, agentId } = await session.manifest();
    if (this.#stages === undefined && !signal.aborted) void this.#begin(ownerName, agentId);
    for (;;) {
      const [state] = this.#states;
      if (state === undefined) {
        const changed = new Promise<"changed">((resolve) => {
          this.#wake = () => resolve("changed");
        });
        if ((await Promise.race([changed, over])) === "over") return;
      } else {
        await session.call("lifecycle", state);
        this.#states.shift();
      }
    }
  }

  async #begin(ownerName: string, agentId: string): Promise<void> {
    const stages = this.#needs.openScripts(ownerName, agentId);
    this.#stages = stages;
    this.#enter("starting");
    await stages.start();
    if (!this.#ended.signal.aborted) this.#enter("ready");
  }
}
