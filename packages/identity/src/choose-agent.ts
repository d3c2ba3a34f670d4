/** An agent that is known by a machine, in a workspace that is not deleted. */
export interface Candidate {
  readonly name: string;
  readonly workspaceId: string;
  /**
   * The state of the workspace: `current` while the agent's build is its newest, `starting` or `ending` while a newer build
   * is under way or failed. A workspace that ends has no claim to the machine.
   */
  readonly workspace: "current" | "starting" | "ending";
  /** Whether the workspace waits in a pool for an owner. */
  readonly isWaiting: boolean;
  /** Whether the workspace was made for a pool, by a preset that names this machine. */
  readonly isOfPool: boolean;
}

export type Choice<C> =
  | { readonly type: "chosen"; readonly candidate: C }
  | { readonly type: "no-agent" }
  | { readonly type: "no-agent-of-name" }
  /** Several workspaces name the machine. */
  | { readonly type: "contested"; readonly workspaceIds: readonly string[] }
  /** One workspace has several agents on the machine. */
  | { readonly type: "unnamed"; readonly names: readonly string[] }
  | { readonly type: "outdated" };

/**
 * Chooses the agent that a machine runs; `name` is empty where the machine names none (docs/protocol/rest.md §3). Whoever makes a
 * workspace may name any machine in it, and no machine may run a stranger's scripts: where several live workspaces name it,
 * none of them gets it. `candidates` may be incomplete as long as they hold the first workspaces in the order of
 * `selectMachineAgents`.
 */
export function chooseAgent<C extends Candidate>(
  candidates: readonly C[],
  name: string,
): Choice<C> {
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
 * Once the workspace of a pool is claimed, the pool is filled up with one that names the same machine. That one waits for the
 * machine too, and gets it when the claimed one is gone.
 */
function withoutNextInPool<C extends Candidate>(live: readonly C[]): readonly C[] {
  const owned = live.filter(({ isWaiting }) => !isWaiting);
  const isClaimed = owned.every(({ isOfPool }) => isOfPool) && workspacesOf(owned).length === 1;
  return isClaimed ? owned : live;
}

function workspacesOf(candidates: readonly Candidate[]): readonly string[] {
  return [...new Set(candidates.map(({ workspaceId }) => workspaceId))];
}
