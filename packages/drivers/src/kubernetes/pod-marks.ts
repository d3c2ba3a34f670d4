import { createHash } from "node:crypto";

import type { JsonObject } from "@slipway/runtime";

import { hashToken, shortDeployment } from "../docker/marks.ts";
import { annotationsOf, labelsOf, nameOf } from "./cluster-objects.ts";

/*
 * Labels and annotations on everything that the driver creates, by which it finds it again, and the names, which follow
 * from them. Who can create pods in the namespace controls its workspaces anyway: labels protect against mistakes. What
 * has our labels under another name, or a name of ours without the labels, is neither used nor removed.
 */

const labels = {
  manager: "app.kubernetes.io/managed-by",
  deployment: "slipway/deployment",
  workspace: "slipway/workspace",
  agent: "slipway/agent",
  volume: "slipway/volume",
} as const;

const annotations = {
  agentId: "slipway/agent-id",
  build: "slipway/build",
  /** The SHA-256 of the agent's token, which a claim keeps. */
  tokenHash: "slipway/token-hash",
} as const;

/** The annotation by which kubectl picks the container of its commands. */
const defaultContainer = "kubectl.kubernetes.io/default-container";

const manager = "slipway";

/** The workspace of an object, in a deployment. */
export interface ObjectPlace {
  readonly deploymentId: string;
  readonly workspaceId: string;
}

/** Names are the same at every attempt, so that two at once create one object; revisions of sets add to them. */
export function agentObjectName(place: ObjectPlace, agentName: string): string {
  return objectName(place, agentName);
}

export function volumeClaimName(place: ObjectPlace, volume: string): string {
  return objectName(place, `volume-${volume}`);
}

function objectName({ deploymentId, workspaceId }: ObjectPlace, part: string): string {
  const hash = createHash("sha256").update(JSON.stringify([deploymentId, workspaceId, part]));
  // 50 characters at most: the labels of a set's pods hold its name and a revision.
  return `ws-${part.replace(/^volume-/, "")}-${hash.digest("hex").slice(0, 12)}`;
}

export function agentLabels(
  place: ObjectPlace,
  agentName: string,
): Readonly<Record<string, string>> {
  return { ...placeLabels(place), [labels.agent]: agentName };
}

export function volumeLabels(place: ObjectPlace, volume: string): Readonly<Record<string, string>> {
  return { ...placeLabels(place), [labels.volume]: volume };
}

function placeLabels({ deploymentId, workspaceId }: ObjectPlace): Readonly<Record<string, string>> {
  return {
    [labels.manager]: manager,
    [labels.deployment]: shortDeployment(deploymentId),
    [labels.workspace]: workspaceId,
  };
}

/** Returns the selector of the objects of a deployment's agents, or of one workspace's. */
export function agentSelector(deploymentId: string, workspaceId?: string): string {
  return `${selectorOf(deploymentId, workspaceId)},${labels.agent}`;
}

export function volumeSelector(place: ObjectPlace): string {
  return `${selectorOf(place.deploymentId, place.workspaceId)},${labels.volume}`;
}

function selectorOf(deploymentId: string, workspaceId: string | undefined): string {
  const ofWorkspace = workspaceId === undefined ? "" : `,${labels.workspace}=${workspaceId}`;
  return `${labels.manager}=${manager},${labels.deployment}=${shortDeployment(deploymentId)}${ofWorkspace}`;
}

/** The agent of a pod or of what runs it, as its marks tell. */
export interface MarkedAgent {
  readonly workspaceId: string;
  readonly agentName: string;
  readonly agentId: string;
  readonly tokenHash: string;
}

export function agentAnnotations(
  agent: { readonly id: string; readonly token: string },
  buildId: string,
): Readonly<Record<string, string>> {
  return {
    [annotations.agentId]: agent.id,
    [annotations.build]: buildId,
    [annotations.tokenHash]: hashToken(agent.token),
    [defaultContainer]: mainContainer,
  };
}

/** The container in which the agent runs. */
export const mainContainer = "workspace";

/**
 * Reads the marks of an object that runs an agent, or of its pod, whose name has a number after it; undefined for an
 * object that only looks like one of ours.
 */
export function readMarks(object: JsonObject, deploymentId: string): MarkedAgent | undefined {
  const { [labels.workspace]: workspaceId = "", ...others } = labelsOf(object);
  const agentName = others[labels.agent] ?? "";
  const name = agentObjectName({ deploymentId, workspaceId }, agentName);
  const isOurs =
    others[labels.deployment] === shortDeployment(deploymentId) &&
    [name, `${name}-0`].includes(nameOf(object));
  if (!isOurs) return undefined;
  const found = annotationsOf(object);
  return {
    workspaceId,
    agentName,
    agentId: found[annotations.agentId] ?? "",
    tokenHash: found[annotations.tokenHash] ?? "",
  };
}

/** Returns the name that the template gives a volume; undefined for a claim that only looks like one of ours. */
export function readVolumeMark(claim: JsonObject, place: ObjectPlace): string | undefined {
  const volume = labelsOf(claim)[labels.volume];
  if (volume === undefined || nameOf(claim) !== volumeClaimName(place, volume)) return undefined;
  const wanted = Object.entries(volumeLabels(place, volume));
  return wanted.every(([name, value]) => labelsOf(claim)[name] === value) ? volume : undefined;
}
