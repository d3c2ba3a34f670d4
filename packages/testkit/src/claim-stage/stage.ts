import { randomUUID } from "node:crypto";

import type { Transition } from "@slipway/api/builds/resource";
import type { Workspace } from "@slipway/api/workspaces/workspace";
import { silentLogger, systemClock } from "@slipway/runtime";
import type { Database } from "@slipway/server";
import {
  activateVersion,
  buildWorkspace,
  cancelBuild,
  claimTogether,
  createWorkspace,
  fullGrant,
  mapLimits,
  type PubSub,
  type ReconcileLimits,
  reconcilePools,
  SecretBox,
  selectBuild,
  selectWorkspace,
  type UserCaller,
} from "@slipway/server/claims";

import { acquire } from "./acquire.ts";
import { ManualDriver } from "./manual-driver.ts";
import { noHints, type StageNeeds } from "./stage-needs.ts";
import {
  pushStageTemplate,
  pushStageVersion,
  type StagePool,
  type StageVersion,
} from "./stage-template.ts";

export interface StageOptions {
  readonly driver: string;
  readonly agentNames: readonly string[];
  readonly pool: StagePool;
  /** Carries the hints (default: a network that loses all of them). */
  readonly pubsub?: PubSub;
}

export interface StageWorkspace {
  readonly name: string;
  readonly presetId?: string;
  /** The initiator (default: the caller). */
  readonly owner?: UserCaller;
  readonly ttlMs?: number;
}

const noSignal = new AbortController().signal;
const unmeasured = { observe: () => undefined };

/** A template with a pool in a database, and the actions of servers and users on it, called one at a time. */
export class ClaimStage {
  readonly needs: StageNeeds;
  readonly admin: UserCaller;
  readonly organizationId: string;
  readonly templateId: string;
  /** The version that is active at first. */
  readonly version: StageVersion;
  readonly #options: StageOptions;

  private constructor(
    made: Pick<ClaimStage, "needs" | "admin" | "organizationId" | "templateId" | "version">,
    options: StageOptions,
  ) {
    this.needs = made.needs;
    this.admin = made.admin;
    this.organizationId = made.organizationId;
    this.templateId = made.templateId;
    this.version = made.version;
    this.#options = options;
  }

  static async open(db: Database, options: StageOptions): Promise<ClaimStage> {
    const { driver, agentNames, pool, pubsub = noHints } = options;
    const secrets = new SecretBox(["the key of a test"]);
    const needs = {
      db,
      secrets,
      pubsub,
      localHints: noHints,
      clock: systemClock,
      limits: mapLimits(() => Infinity),
      driver,
      drivers: new Map([[driver, new ManualDriver(driver)]]),
    };
    const { id: organizationId } = await db
      .insertInto("organizations")
      .values({ name: "stage" })
      .returning("id")
      .executeTakeFirstOrThrow();
    const admin = await insertUser(db, "admin", ["owner"]);
    const input = { organizationId, admin, agentNames, pool };
    const template = await pushStageTemplate(needs, input);
    return new ClaimStage({ needs, admin, organizationId, ...template }, options);
  }

  /** Pushes another version of the template without activating it. */
  pushVersion(): Promise<StageVersion> {
    const { needs, organizationId, admin, templateId } = this;
    return pushStageVersion(needs, { organizationId, admin, ...this.#options }, templateId);
  }

  /** Activates a version. */
  activate(versionId: string): Promise<void> {
    return activateVersion(this.needs, this.admin, this.templateId, versionId);
  }

  addUser(username: string): Promise<UserCaller> {
    return insertUser(this.needs.db, username, []);
  }

  /** Reconciles all pools; resolves to the number of builds that were queued. */
  look(limits: ReconcileLimits): Promise<number> {
    const reconciler = { ...this.needs, logger: silentLogger, reconciliationSeconds: unmeasured };
    return reconcilePools(reconciler, limits, noSignal);
  }

  /** Runs every queued job. */
  async carryOut(): Promise<void> {
    for (let work = await acquire(this.needs); work; work = await acquire(this.needs)) {
      await work.end("succeed");
    }
  }

  /** Creates a workspace of the active version; claims a prebuild of the preset's pool if one is ready. */
  create(caller: UserCaller, wanted: StageWorkspace): Promise<Workspace> {
    return createWorkspace(this.#creationNeeds(), caller, this.#inputOf(caller, wanted));
  }

  /** Claims workspaces for several requests in one transaction; undefined for those that are left to `create`. */
  claimTogether(
    requests: readonly { readonly caller: UserCaller; readonly wanted: StageWorkspace }[],
  ): Promise<readonly (Workspace | undefined)[]> {
    return claimTogether(
      { ...this.#creationNeeds(), logger: silentLogger },
      requests.map(({ caller, wanted }) => ({ caller, input: this.#inputOf(caller, wanted) })),
    );
  }

  #creationNeeds() {
    return { ...this.needs, claimSeconds: unmeasured };
  }

  #inputOf(
    caller: UserCaller,
    { name, presetId, owner = caller, ttlMs }: StageWorkspace,
  ): Parameters<typeof createWorkspace>[2] {
    return {
      ownerId: owner.id,
      name,
      templateId: this.templateId,
      versionId: undefined,
      presetId,
      parameters: [],
      transition: "start",
      requiresPrebuild: false,
      settings: { automaticUpdates: "never", autostart: undefined, ttlMs, onDeadline: "stop" },
    };
  }

  /** Queues a build of a workspace in its present state. */
  async build(caller: UserCaller, workspaceId: string, transition: Transition): Promise<string> {
    const row = await selectWorkspace(this.needs.db, workspaceId);
    if (row === undefined) throw new Error(`no workspace ${workspaceId}`);
    const { id } = await buildWorkspace(this.needs, row, {
      transition,
      versionId: undefined,
      presetId: undefined,
      parameters: [],
      reason: "initiator",
      initiator: caller,
    });
    return id;
  }

  async cancel(caller: UserCaller, buildId: string): Promise<void> {
    const row = await selectBuild(this.needs.db, buildId);
    if (row === undefined) throw new Error(`no build ${buildId}`);
    await cancelBuild(this.needs, caller, row, undefined);
  }
}

async function insertUser(
  db: Database,
  username: string,
  roles: readonly string[],
): Promise<UserCaller> {
  const id = randomUUID();
  await db
    .insertInto("users")
    .values({ id, username, email: `${username}@example.com`, roles: [...roles] })
    .execute();
  return { id, username, roles, keyId: "", grant: fullGrant, origin: undefined };
}
