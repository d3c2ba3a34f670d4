import { readFile } from "node:fs/promises";

import { tarMimeType } from "@slipway/api/files/routes";
import type { Workspace } from "@slipway/api/workspaces/workspace";
import { pack } from "tar-stream";

import { type CreateNeeds, createWorkspace } from "../features/claims/create.ts";
import { keepFile } from "../features/files/service.ts";
import { findOrganization } from "../features/organizations/service.ts";
import { createTemplate } from "../features/templates/create-service.ts";
import { createVersion } from "../features/templates/create-version-service.ts";
import { selectTemplateByName } from "../features/templates/queries.ts";
import { requireVersion } from "../features/templates/version-service.ts";
import { readFirstOwner } from "../features/users/admin-service.ts";
import { buildWorkspace } from "../features/workspaces/build-service.ts";
import { selectWorkspaceByName } from "../features/workspaces/queries.ts";
import { describeWorkspace, requireWorkspace } from "../features/workspaces/service.ts";
import { cloneDirectory } from "../platform/clone-directory.ts";
import type { Limits } from "../platform/config/limits.ts";
import type { UserCaller } from "../platform/http/caller.ts";
import { readJob } from "../platform/jobs/service.ts";
import { topics } from "../platform/pubsub/pubsub.ts";
import { watch } from "../platform/pubsub/watch.ts";

/** The workspace of the demonstration. */
export interface Demo {
  readonly workspaceName: string;
  /** In words, such as `running`. */
  readonly state: string;
}

interface DemoNeeds extends CreateNeeds {
  readonly limits: Limits;
}

const workspaceName = "demo";
const templateName = "demo";
const starterTemplate = new URL("examples/demo.slipway.yaml", cloneDirectory);
const waitMs = 500;
/** The time limit after which the current state is reported. */
const readyTimeoutMs = 30_000;

/** Creates the starter template and its workspace, unless they exist, and waits until the workspace is ready. */
export async function openDemo(needs: DemoNeeds, signal: AbortSignal): Promise<Demo | undefined> {
  const { db } = needs;
  const owner = await readFirstOwner(db);
  if (owner === undefined) return undefined;
  const known = await selectWorkspaceByName(db, {
    ownerId: owner.id,
    name: workspaceName,
    includeDeleted: false,
  });
  if (known !== undefined) {
    const { latest_build: build } = await describeWorkspace(db, known, needs.clock.now());
    // A workspace that was stopped on purpose, or failed, starts again: `npm start` shows it.
    if (build.status === "stopped" || build.status === "failed")
      await startAgain(needs, owner, known.id);
  }
  const workspaceId = known?.id ?? (await makeWorkspace(needs, owner, signal));
  return { workspaceName, state: await waitUntilReady(needs, owner, workspaceId, signal) };
}

async function startAgain(needs: DemoNeeds, owner: UserCaller, workspaceId: string): Promise<void> {
  await buildWorkspace(needs, await requireWorkspace(needs.db, owner, workspaceId), {
    transition: "start",
    versionId: undefined,
    presetId: undefined,
    parameters: [],
    reason: "initiator",
    initiator: owner,
  });
}

async function makeWorkspace(
  needs: DemoNeeds,
  owner: UserCaller,
  signal: AbortSignal,
): Promise<string> {
  const templateId = await ensureTemplate(needs, owner, signal);
  const workspace = await createWorkspace(needs, owner, {
    ownerId: owner.id,
    name: workspaceName,
    templateId,
    versionId: undefined,
    presetId: undefined,
    parameters: [],
    transition: "start",
    requiresPrebuild: false,
    settings: {
      automaticUpdates: "never",
      autostart: undefined,
      ttlMs: undefined,
      onDeadline: "stop",
    },
  });
  return workspace.id;
}

async function ensureTemplate(
  needs: DemoNeeds,
  owner: UserCaller,
  signal: AbortSignal,
): Promise<string> {
  const { db } = needs;
  const organization = await findOrganization(db, "default");
  const known = await selectTemplateByName(db, organization.id, templateName);
  if (known !== undefined) return known.id;
  const file = await keepFile(needs, owner, tarMimeType, await packStarter());
  const version = await createVersion(needs, owner, {
    organizationId: organization.id,
    fileId: file.id,
    templateId: undefined,
    name: undefined,
    message: "starter template",
  });
  await waitForImport(needs, version.id, signal);
  const template = await createTemplate(needs, owner, {
    organizationId: organization.id,
    name: templateName,
    versionId: version.id,
    displayName: undefined,
    description: undefined,
    icon: undefined,
  });
  return template.id;
}

async function packStarter(): Promise<Buffer> {
  const archive = pack();
  archive.entry({ name: "slipway.yaml", mtime: new Date(0) }, await readFile(starterTemplate));
  archive.finalize();
  const chunks: Buffer[] = [];
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a pack without an encoding reads as buffers
  for await (const chunk of archive) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

async function waitForImport(
  { db, pubsub, clock }: DemoNeeds,
  versionId: string,
  signal: AbortSignal,
): Promise<void> {
  const { job_id: jobId } = await requireVersion(db, versionId);
  for await (const _ of watch({
    pubsub,
    topics: [topics.job(jobId)],
    maxWaitMs: waitMs,
    clock,
    signal,
  })) {
    const job = await readJob(db, jobId);
    if (job.status === "failed")
      throw new Error(`the starter template is not valid: ${job.error ?? ""}`);
    if (job.completed_at !== undefined) return;
  }
}

async function waitUntilReady(
  { db, pubsub, clock }: DemoNeeds,
  owner: UserCaller,
  workspaceId: string,
  signal: AbortSignal,
): Promise<string> {
  const deadline = clock.monotonic() + readyTimeoutMs;
  const looks = watch({
    pubsub,
    topics: [topics.workspace(workspaceId)],
    maxWaitMs: waitMs,
    clock,
    signal,
  });
  for await (const _ of looks) {
    const workspace = await describeWorkspace(
      db,
      await requireWorkspace(db, owner, workspaceId),
      clock.now(),
    );
    const state = settledState(workspace);
    if (state !== undefined) return state;
    if (clock.monotonic() > deadline)
      return `${workspace.latest_build.status}, its agent is not ready yet`;
  }
  return "unknown";
}

/** Returns the final state of the workspace; undefined while it still changes. */
function settledState({ latest_build: build }: Workspace): string | undefined {
  if (build.status === "failed") return `failed: ${build.job.error ?? "see its log"}`;
  if (build.status !== "running") return undefined;
  const agents = build.resources.flatMap((resource) => resource.agents);
  if (agents.some((agent) => agent.status !== "connected")) return undefined;
  const states = agents.map((agent) => agent.lifecycle_state);
  if (states.some((state) => state === "created" || state === "starting")) return undefined;
  return states.every((state) => state === "ready")
    ? "running"
    : `running, its agent: ${states.join(", ")}`;
}
