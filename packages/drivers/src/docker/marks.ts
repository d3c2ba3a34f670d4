import { createHash } from "node:crypto";

/*
 * Labels on everything that the driver creates, by which it finds it again.
 *
 * Who can create containers on an engine controls its host, so labels are no proof against them. They protect against
 * mistakes: labels are copied by `docker commit`, by images built from ours and by copied Compose files, and names are
 * chosen by hand. Therefore every object also has its own name as a label. What has our labels under another name, or a
 * name of ours without the labels, is foreign: it is neither used nor removed.
 */

export const labelNames = {
  deployment: "slipway.deployment",
  kind: "slipway.kind",
  name: "slipway.name",
  workspace: "slipway.workspace",
  build: "slipway.build",
  agent: "slipway.agent",
  agentName: "slipway.agent-name",
  /** The SHA-256 of the agent's token, which a claim keeps. */
  tokenHash: "slipway.token-hash",
  volume: "slipway.volume",
  /** The uid that owns a volume: a user that the image lacks gets it again. */
  owner: "slipway.owner",
  image: "slipway.image",
  /** Of the pointer to the volume with an agent's archive: the name of that volume. */
  target: "slipway.target",
} as const;

export type Labels = Readonly<Record<string, string>>;

export type ObjectKind =
  | "agent"
  | "archive"
  | "archive-pointer"
  | "helper"
  | "image"
  | "network"
  | "volume";

interface Mark {
  readonly deploymentId: string;
  readonly kind: ObjectKind;
  readonly name: string;
}

/** Returns the labels of a new object. */
export function markOf({ deploymentId, kind, name }: Mark): Labels {
  return {
    [labelNames.deployment]: deploymentId,
    [labelNames.kind]: kind,
    [labelNames.name]: name,
  };
}

/** Returns the labels by which to list objects of a kind. */
export function kindFilter({ deploymentId, kind }: Omit<Mark, "name">): Labels {
  return { [labelNames.deployment]: deploymentId, [labelNames.kind]: kind };
}

/** Returns the labels by which to list the objects of a workspace. */
export function workspaceFilter(mark: Omit<Mark, "name">, workspaceId: string): Labels {
  return { ...kindFilter(mark), [labelNames.workspace]: workspaceId };
}

/** Returns whether an object that was found by its labels was created by us, and is no copy. */
export function isOriginal({
  name,
  labels,
}: {
  readonly name: string;
  readonly labels: Labels;
}): boolean {
  return name !== "" && labels[labelNames.name] === name;
}

/** Returns whether an object that was found by its name was created by us. */
export function hasMark(
  found: { readonly name: string; readonly labels: Labels },
  { deploymentId, kind }: Omit<Mark, "name">,
): boolean {
  const { labels } = found;
  return (
    isOriginal(found) &&
    labels[labelNames.deployment] === deploymentId &&
    labels[labelNames.kind] === kind
  );
}

/** Names are the same at every attempt: two attempts at once cannot create two containers of an agent. */
export function containerName(workspaceId: string, agentName: string): string {
  return `slipway-${workspaceId}-${agentName}`;
}

export function volumeName(workspaceId: string, volume: string): string {
  return `slipway-${workspaceId}-${volume}`;
}

/** Returns the tag of an image that is built for a workspace. */
export function imageTag(workspaceId: string, agentName: string): string {
  return `${imageTagPrefix(workspaceId)}${agentName.toLowerCase()}:latest`;
}

export function imageTagPrefix(workspaceId: string): string {
  return `slipway-build/${workspaceId}/`;
}

/** Shortens a deployment's id for names of objects that its workspaces share. */
export function shortDeployment(deploymentId: string): string {
  return createHash("sha256").update(deploymentId).digest("hex").slice(0, 12);
}

export function hashToken(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}
