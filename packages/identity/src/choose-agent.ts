/** An agent identified by its cloud instance, in a workspace that is not deleted. */
export interface AgentCandidate {
  readonly name: string;
  readonly workspaceId: string;
  /**
   * The state of the workspace: `current` while the agent's build is its newest, `starting` or `ending` while a newer
   * build is in progress or failed. A workspace that is ending has no claim to the instance.
   */
  readonly workspace: "current" | "starting" | "ending";
  /** True if the workspace waits in a pool for an owner. */
  readonly isWaiting: boolean;
  /** True if the workspace was created for a pool, by a preset that names this instance. */
  readonly isOfPool: boolean;
}

export type AgentChoice<C> =
  | { readonly type: "chosen"; readonly candidate: C }
  | { readonly type: "no-agent" }
  | { readonly type: "no-agent-of-name" }
  /** Several workspaces name the instance. */
  | { readonly type: "contested"; readonly workspaceIds: readonly string[] }
  /** One workspace has several agents on the instance. */
  | { readonly type: "unnamed"; readonly names: readonly string[] }
  | { readonly type: "outdated" };

/**
 * Chooses the agent that an instance runs; `name` is empty if the instance names none (docs/protocol/rest.md §3). A
 * workspace's creator may name any instance in it, and no instance may run a stranger's scripts: if several live
 * workspaces name it, none of them gets it. `candidates` may be incomplete as long as it includes the first
 * workspaces in the order of `selectMachineAgents`.
 */
export function chooseAgent<C extends AgentCandidate>(
  candidates: readonly C[],
  name: string,
): AgentChoice<C> {
  if (candidates.length === 0) return { type: "no-agent" };
  const named = candidates.filter((one) => name === "" || one.name === name);
  if (named.length === 0) return { type: "no-agent-of-name" };
  const entitled = withoutNextInPool(named.filter(({ workspace }) => workspace !== "ending"));
  const workspaceIds = workspacesOf(entitled);
  if (workspaceIds.length > 1) return { type: "contested", workspaceIds };
  if (name === "" && entitled.length > 1) {
    return { type: "unnamed", names: entitled.map((one) => one.name).toSorted() };
  }
  const [candidate] = entitled;
  if (candidate?.workspace !== "current") return { type: "outdated" };
  return { type: "chosen", candidate };
}

/**
 * Drops the pool's next workspace: once a workspace of a pool is claimed, the pool is refilled with one that names the
 * same instance. That one also waits for the instance, and gets it when the claimed one is gone.
 */
function withoutNextInPool<C extends AgentCandidate>(live: readonly C[]): readonly C[] {
  const owned = live.filter(({ isWaiting }) => !isWaiting);
  const isClaimed = owned.every(({ isOfPool }) => isOfPool) && workspacesOf(owned).length === 1;
  return isClaimed ? owned : live;
}

function workspacesOf(candidates: readonly AgentCandidate[]): readonly string[] {
  return [...new Set(candidates.map(({ workspaceId }) => workspaceId))];
}
