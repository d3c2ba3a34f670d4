import type { ScriptStages, WaitForReinit } from "@slipway/agent/session";
import { Backoff, defaultBackoff } from "@slipway/runtime";

import type { Life } from "../engine/life.ts";
import type { LifecycleReport } from "../network/messages.ts";
import type { Session } from "./session.ts";

export interface FramesAgentNeeds {
  readonly dial: (signal: AbortSignal) => Promise<Session>;
  readonly waitForReinit: WaitForReinit;
  readonly openScripts: (ownerName: string, agentId: string) => ScriptStages;
  readonly life: Life;
  readonly random: () => number;
}

/** The time to flush the last reports of a session, in milliseconds. */
const flushMs = 5_000;

/**
 * Runs an agent like Coder's (docs/protocol/prebuilds.md §3.5): it starts over at each frame, whatever its manifest
 * says, unless the frame names the same owner as the previous one; then, and after a refusal, it stops asking.
 */
export async function runFramesAgent(needs: FramesAgentNeeds): Promise<void> {
  const { waitForReinit, life, random } = needs;
  const backoff = new Backoff(defaultBackoff, random);
  let lastOwnerId: string | undefined;
  let session = new FramesSession(needs);
  for (;;) {
    const answer = await waitForReinit(life.forever);
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
        await life.sleep(backoff.next(), life.forever);
        break;
    }
  }
}

/**
 * A life from the start scripts of its first manifest to its end. Each connection handles the manifest and the states
 * concurrently. A state that could not be delivered is retried when the next one comes, maybe on a later connection
 * (docs/protocol/agent.md §2.6).
 */
class FramesSession {
  readonly #needs: FramesAgentNeeds;
  readonly #ended = new AbortController();
  readonly #reports: LifecycleReport[] = [];
  /** True if a state was entered since the reports were last processed. */
  #isWoken = false;
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
      await stages.stop(this.#needs.life.forever);
      this.#enter("off");
      await this.#needs.life.sleep(flushMs, this.#needs.life.forever);
    }
    this.#ended.abort(new Error("ended"));
  }

  #enter(state: string): void {
    this.#reports.push({ state, changedAtMs: this.#needs.life.now() });
    this.#isWoken = true;
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
        // Retried.
      }
      await life.sleep(backoff.next(), signal).catch(() => undefined);
    }
  }

  async #serve(session: Session): Promise<void> {
    const { signal } = this.#ended;
    signal.addEventListener("abort", () => session.close(), { once: true });
    try {
      await Promise.all([this.#handleManifest(session), this.#report(session)]);
    } finally {
      session.close();
    }
  }

  async #handleManifest(session: Session): Promise<void> {
    const { ownerName, agentId } = await session.manifest();
    await session.call({ method: "startup", decides: "frames" });
    if (this.#stages === undefined && !this.#ended.signal.aborted) {
      void this.#begin(ownerName, agentId);
    }
  }

  async #report(session: Session): Promise<void> {
    const over = session.closed.promise.then(() => "over" as const);
    for (;;) {
      const woken = new Promise<"woken">((resolve) => {
        this.#wake = () => resolve("woken");
        if (this.#isWoken) resolve("woken");
      });
      if ((await Promise.race([woken, over])) === "over") return;
      this.#isWoken = false;
      for (let [report] = this.#reports; report !== undefined; [report] = this.#reports) {
        await session.call({ method: "lifecycle", report });
        this.#reports.shift();
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
