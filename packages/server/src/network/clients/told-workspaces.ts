import type { BuildStatus } from "@slipway/api/builds/build";
import { encodeUuid } from "@slipway/wire/bytes/uuid";
import { Workspace_Status as Status } from "@slipway/wire/protobuf/gen/tailnet_pb";

/** A workspace as a client of the network sees it. */
export interface ReachableWorkspace {
  readonly id: string;
  readonly name: string;
  readonly status: BuildStatus;
  /** The agents of the newest build. */
  readonly agents: readonly { readonly id: string; readonly name: string }[];
}

interface ToldWorkspace {
  readonly id: Uint8Array;
  readonly name: string;
  readonly status: Status;
}

interface ToldAgent {
  readonly id: Uint8Array;
  readonly name: string;
  readonly workspaceId: Uint8Array;
}

/** The changes for a client, as a message of the wire. */
export interface WorkspaceChanges {
  upsertedWorkspaces: ToldWorkspace[];
  upsertedAgents: ToldAgent[];
  deletedWorkspaces: ToldWorkspace[];
  deletedAgents: ToldAgent[];
}

const statuses: Readonly<Record<BuildStatus, Status>> = {
  pending: Status.PENDING,
  starting: Status.STARTING,
  running: Status.RUNNING,
  stopping: Status.STOPPING,
  stopped: Status.STOPPED,
  deleting: Status.DELETING,
  deleted: Status.DELETED,
  canceling: Status.CANCELING,
  canceled: Status.CANCELED,
  failed: Status.FAILED,
};

/** The workspaces that a client was notified of. Agents count as pairs of id and name (docs/protocol/rpc.md §6.5). */
export class ToldWorkspaces {
  #workspaces: ReadonlyMap<string, ToldWorkspace> = new Map();
  #agents: ReadonlyMap<string, ToldAgent> = new Map();
  #isFirst = true;

  /** Returns the changes to send to the client, everything at first; undefined if nothing changed. */
  update(present: readonly ReachableWorkspace[]): WorkspaceChanges | undefined {
    const workspaces = new Map(
      present.map((workspace) => [workspace.id, toldWorkspace(workspace)]),
    );
    const agents = new Map(present.flatMap(toldAgents));
    const update = {
      upsertedWorkspaces: [...workspaces].flatMap(([id, workspace]) =>
        isSame(this.#workspaces.get(id), workspace) ? [] : [workspace],
      ),
      upsertedAgents: missingIn(this.#agents, agents),
      deletedWorkspaces: missingIn(workspaces, this.#workspaces),
      deletedAgents: missingIn(agents, this.#agents),
    };
    this.#workspaces = workspaces;
    this.#agents = agents;
    const isNews = this.#isFirst || Object.values(update).some((list) => list.length > 0);
    this.#isFirst = false;
    return isNews ? update : undefined;
  }
}

function toldWorkspace({ id, name, status }: ReachableWorkspace): ToldWorkspace {
  return { id: encodeUuid(id), name, status: statuses[status] };
}

function toldAgents({ id, agents }: ReachableWorkspace): readonly (readonly [string, ToldAgent])[] {
  const workspaceId = encodeUuid(id);
  return agents.map((agent) => [
    `${agent.id} ${agent.name}`,
    { id: encodeUuid(agent.id), name: agent.name, workspaceId },
  ]);
}

function isSame(told: ToldWorkspace | undefined, workspace: ToldWorkspace): boolean {
  return told !== undefined && told.name === workspace.name && told.status === workspace.status;
}

/** Returns the items of a map whose keys another one lacks. */
function missingIn<T>(other: ReadonlyMap<string, unknown>, items: ReadonlyMap<string, T>): T[] {
  return [...items].flatMap(([key, item]) => (other.has(key) ? [] : [item]));
}
