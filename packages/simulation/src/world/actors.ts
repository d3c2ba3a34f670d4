import { prebuildsUserId } from "@slipway/api/prebuilds/prebuild";

import { Life } from "../engine/life.ts";
import { committed, View } from "../model/view.ts";
import type { ApiCall } from "../network/messages.ts";
import type { Setting } from "./setting.ts";

/** The timeout of a request, in milliseconds. */
const answerTimeoutMs = 60_000;

/** The users of the servers: some claim and build, one is an administrator. */
export class Actors {
  readonly #setting: Setting;
  readonly #life: Life;

  constructor(setting: Setting) {
    this.#setting = setting;
    this.#life = new Life("actors", setting.scheduler);
  }

  /** Lets them act until the world is calm. */
  begin(): void {
    const { profile, conditions } = this.#setting;
    for (let index = 1; index <= profile.users; index += 1) void this.#user(`u${index}`);
    if (conditions.has("admin-builds")) void this.#restartPrebuilds();
    if (conditions.has("invalidation")) void this.#invalidate();
    if (conditions.has("new-version")) void this.#promote();
  }

  async #user(userId: string): Promise<void> {
    const { random, conditions, model } = this.#setting;
    for (let number = 1; !conditions.isCalm; number += 1) {
      await this.#pause(2_000, 60_000);
      const [preset] = model.tables.presets.all();
      // Some ask for several at once, of which a server makes those together that wait at the same time.
      const count = random.chance(0.3) ? 2 + random.below(3) : 1;
      const calls = Array.from({ length: count }, (_, index) => ({
        name: "create" as const,
        userId,
        workspaceName: `${userId}-${number}${index === 0 ? "" : `-${index}`}`,
        presetId: random.chance(0.9) ? activePreset(this.#setting) : undefined,
      }));
      await Promise.all(calls.map((call) => this.#ask(call)));
      if (preset === undefined) return;
      while (!conditions.isCalm && random.chance(0.6)) await this.#useWorkspaces(userId);
    }
  }

  async #useWorkspaces(userId: string): Promise<void> {
    const { random, conditions, model } = this.#setting;
    await this.#pause(100, 30_000);
    const own = model.tables.workspaces
      .all()
      .filter(({ ownerId, deleted }) => ownerId === userId && !deleted);
    const workspace = random.pick(own);
    if (workspace === undefined) return;
    const workspaceId = workspace.id;
    if (conditions.strikes("build-cancel", 0.3)) {
      await this.#ask({ name: "cancel", userId, workspaceId });
    }
    const newest = new View(model.tables, committed).newest(workspaceId);
    const hasFailed = newest?.error !== undefined || newest?.canceledAtMs !== undefined;
    if (hasFailed || conditions.strikes("user-builds", 0.5)) {
      const other = random.pick(["start", "stop", "delete"] as const) ?? "start";
      const transition = hasFailed ? "start" : other;
      await this.#ask({ name: "build", userId, workspaceId, transition });
    }
  }

  async #restartPrebuilds(): Promise<void> {
    const { random, conditions, model } = this.#setting;
    while (!conditions.isCalm) {
      await this.#pause(5_000, 40_000);
      const waiting = model.tables.workspaces
        .all()
        .filter(({ ownerId, deleted }) => ownerId === prebuildsUserId && !deleted);
      const workspaceId = random.pick(waiting)?.id;
      if (workspaceId === undefined) continue;
      const userId = "admin";
      await this.#ask({ name: "build", userId, workspaceId, transition: "stop" });
      await this.#pause(100, 15_000);
      await this.#ask({ name: "build", userId, workspaceId, transition: "start" });
    }
  }

  async #invalidate(): Promise<void> {
    const { conditions } = this.#setting;
    while (!conditions.isCalm) {
      await this.#pause(20_000, 90_000);
      await this.#ask({ name: "invalidate", presetId: activePreset(this.#setting) });
    }
  }

  async #promote(): Promise<void> {
    const { model } = this.#setting;
    await this.#pause(20_000, 90_000);
    const [template] = model.tables.templates.all();
    if (template === undefined) return;
    await this.#ask({ name: "promote", templateId: template.id, versionId: "v2" });
  }

  /** Makes owners restart the workspaces that failed claims leave behind. */
  async retryFailed(): Promise<void> {
    const { model } = this.#setting;
    const view = new View(model.tables, committed);
    for (const { id: workspaceId, ownerId: userId, deleted } of model.tables.workspaces.all()) {
      if (deleted || userId === prebuildsUserId) continue;
      const newest = view.newest(workspaceId);
      const hasEnded = newest?.completedAtMs !== undefined;
      const hasFailed = newest?.error !== undefined || newest?.canceledAtMs !== undefined;
      if (!hasEnded || !hasFailed || newest.transition === "delete") continue;
      await this.#ask({ name: "build", userId, workspaceId, transition: "start" });
    }
  }

  #pause(least: number, most: number): Promise<void> {
    return this.#life.sleep(this.#setting.random.between(least, most), this.#life.forever);
  }

  /** Sends a request and waits for its answer or the timeout. */
  async #ask(call: ApiCall): Promise<void> {
    const { trace } = this.#setting;
    const who = "userId" in call ? call.userId : "admin";
    const workspaceId = "workspaceId" in call ? call.workspaceId : undefined;
    trace.add(who, () => `asks: ${JSON.stringify(call)}`, workspaceId);
    const end = this.#setting.connect(this.#life, { type: "api", call });
    const over = Promise.withResolvers<void>();
    end.receive((message) => {
      trace.add(who, () => `is told: ${JSON.stringify(message)}`, workspaceId);
      over.resolve();
    });
    end.closed.addEventListener("abort", () => over.resolve());
    using _ = this.#life.after(answerTimeoutMs, () => over.resolve());
    await over.promise;
    end.close();
  }
}

function activePreset({ model }: Setting): string {
  const [template] = model.tables.templates.all();
  const active = model.tables.presets
    .all()
    .find(({ versionId }) => versionId === template?.activeVersionId);
  if (active === undefined) throw new Error("world has no active preset");
  return active.id;
}
