import { randomUUID } from "node:crypto";

import type { WorkspaceBuild } from "@slipway/api/builds/build";
import { updateTemplate } from "@slipway/api/templates/routes";
import type { Template, UpdateTemplateRequest } from "@slipway/api/templates/template";
import { createBuild } from "@slipway/api/workspaces/build-routes";
import { createWorkspace, getWorkspace } from "@slipway/api/workspaces/routes";
import type { Workspace } from "@slipway/api/workspaces/workspace";
import type { Driver } from "@slipway/drivers";
import { silentLogger, systemClock } from "@slipway/runtime";
import { pushTemplate, waitForWorkspace } from "@slipway/testkit";
import { inject } from "vitest";

import { applySchedules, type SchedulerNeeds } from "../../src/features/schedules/scheduler.ts";
import { defaultLimits } from "../../src/platform/config/limits.ts";
import { connectionOptions } from "../../src/platform/db/database.ts";
import { PostgresPubSub } from "../../src/platform/pubsub/postgres-pubsub.ts";
import { type Answer, type OpenServer, openServer } from "./open-server.ts";

const agents = "agents: { main: { os: linux, arch: amd64 } }";

/** A server with a template whose workspaces are built immediately, and schedules that run at any chosen time. */
export class ScheduleWorld implements AsyncDisposable {
  readonly server: OpenServer;
  readonly templateId: string;
  readonly #needs: SchedulerNeeds;
  readonly #opened: AsyncDisposableStack;

  private constructor(
    server: OpenServer,
    templateId: string,
    needs: SchedulerNeeds,
    opened: AsyncDisposableStack,
  ) {
    this.server = server;
    this.templateId = templateId;
    this.#needs = needs;
    this.#opened = opened;
  }

  /** Opens a world with a driver, or with `external`. */
  static async open(driver?: Driver): Promise<ScheduleWorld> {
    await using opening = new AsyncDisposableStack();
    const server = opening.use(
      await openServer(inject("postgresUrl"), {}, driver === undefined ? [] : [driver]),
    );
    const pubsub = opening.use(
      new PostgresPubSub({
        db: server.db,
        connection: connectionOptions({ url: server.postgresUrl }),
        replicaId: randomUUID(),
        clock: systemClock,
        logger: silentLogger,
      }),
    );
    const needs = { db: server.db, pubsub, clock: systemClock, logger: silentLogger };
    const template = `driver: ${driver?.name ?? "external"}\n${agents}\n`;
    const templateId = await pushTemplate(server.admin, "outside", template);
    const scheduler = { ...needs, limits: defaultLimits };
    return new ScheduleWorld(server, templateId, scheduler, opening.move());
  }

  /** Runs everything that is due at `now`; resolves to the number of builds queued. */
  apply(now: number, limits = defaultLimits): Promise<number> {
    return applySchedules({ ...this.#needs, limits }, now, new AbortController().signal);
  }

  /** Creates a workspace, and waits until it runs. */
  async make(name: string, more: object = {}): Promise<Workspace> {
    return this.settled(await this.create(name, more), 1);
  }

  /** Creates a workspace, whose build is queued. */
  create(name: string, more: object = {}): Promise<Workspace> {
    return this.server.admin.call(createWorkspace, {
      params: { user: "me" },
      body: { name, template_id: this.templateId, ...more },
    });
  }

  read({ id }: Pick<Workspace, "id">): Promise<Workspace> {
    return this.server.admin.call(getWorkspace, { params: { workspace: id } });
  }

  /** Waits until the build with this number has succeeded. */
  settled({ id }: Pick<Workspace, "id">, number: number): Promise<Workspace> {
    return this.ended({ id }, number, "succeeded");
  }

  /** Waits until the build with this number has this status. */
  ended(
    { id }: Pick<Workspace, "id">,
    number: number,
    status: WorkspaceBuild["job"]["status"],
  ): Promise<Workspace> {
    return waitForWorkspace(
      this.server.admin,
      id,
      ({ latest_build: build }) => build.build_number === number && build.job.status === status,
    );
  }

  /** Queues the build with this number, and waits until it has succeeded. */
  async build(
    workspace: Pick<Workspace, "id">,
    number: number,
    transition: "start" | "stop",
  ): Promise<Workspace> {
    await this.server.admin.call(createBuild, {
      params: { workspace: workspace.id },
      body: { transition },
    });
    return this.settled(workspace, number);
  }

  /** Changes settings of the template. */
  edit(body: UpdateTemplateRequest): Promise<Template> {
    return this.server.admin.call(updateTemplate, { params: { template: this.templateId }, body });
  }

  put(workspace: Pick<Workspace, "id">, path: string, body: object): Promise<Answer> {
    return this.server.request("PUT", `/workspaces/${workspace.id}${path}`, body);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#opened.disposeAsync();
  }
}
