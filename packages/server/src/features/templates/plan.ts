import { randomUUID } from "node:crypto";

import type { WorkspaceResource } from "@slipway/api";
import type { Driver, DriverResource } from "@slipway/drivers";
import type { NamedValue, RenderedAgents } from "@slipway/template";

import type { JobLogWriter } from "../../platform/jobs/job-log-writer.ts";
import { plannedAgent } from "../agents/plan-service.ts";

/** The subject of a plan, with the names that its texts refer to. */
export interface PlanSubject {
  readonly jobId: string;
  readonly template: { readonly name: string; readonly version: string };
  readonly workspaceName: string;
  readonly ownerName: string;
  readonly parameters: readonly NamedValue[];
  readonly agents: RenderedAgents;
  /** The time when the job began, which is the plan's. */
  readonly at: string;
}

/** Asks a driver for its plan; resolves to resources as clients see them. */
export async function planResources(
  driver: Driver,
  subject: PlanSubject,
  log: JobLogWriter,
  signal: AbortSignal,
): Promise<WorkspaceResource[]> {
  const input = {
    template: { ...subject.template, settings: {}, directory: undefined },
    parameters: Object.fromEntries(subject.parameters.map(({ name, value }) => [name, value])),
    agentNames: subject.agents.map((agent) => agent.name),
  };
  const lines = {
    write: (level: "debug" | "info" | "warn" | "error", _stage: string, line: string): void =>
      log.write(level, line),
  };
  const { resources } = await driver.plan(input, lines, signal);
  return resources.map((resource) => resourceJson(resource, subject));
}

function resourceJson(resource: DriverResource, subject: PlanSubject): WorkspaceResource {
  const id = randomUUID();
  const { jobId, workspaceName, ownerName, at } = subject;
  return {
    id,
    created_at: at,
    job_id: jobId,
    workspace_transition: "start",
    type: resource.type,
    name: resource.name,
    hide: false,
    icon: resource.icon ?? "",
    agents: subject.agents
      .filter((agent) => resource.agentNames.includes(agent.name))
      .map((agent) =>
        plannedAgent(agent, { resourceId: id, createdAt: at, workspaceName, ownerName }),
      ),
    metadata: [],
    daily_cost: 0,
  };
}
