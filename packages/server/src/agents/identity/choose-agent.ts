/** An agent of a machine, in a workspace that is not deleted. */
export interface Candidate {
  readonly name: string;
  readonly workspaceId: string;
  /** What the workspace comes to: the agent's build is its newest, or a start is under way, or a stop or deletion. */
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
  /** Several workspaces say that the machine is theirs. */
  | { readonly type: "contested"; readonly workspaceIds: readonly string[] }
  /** One workspace has several agents on the machine. */
  | { readonly type: "unnamed"; readonly names: readonly string[] }
  | { readonly type: "outdated" };

/**
 * Which agent a machine runs, of those that are known by it, newest first; `name` is empty where the machine names none
 * (`rest.md` section 3). Whoever makes a workspace may name any machine in it, and the machine of somebody else must not
 * run his scripts: so where several workspaces name one, none of them gets it.
 */
export function chooseAgent<C extends Candidate>(
  candidates: readonly C[],
  name: string,
): Choice<C> {
  if (candidates.length === 0) return { type: "no-agent" };
  const named = candidates.filter((one) => name === "" || one.name === name);
  if (named.length === 0) return { type: "no-agent-of-name" };
  const entitled = withoutNextInPool(named);
  const workspaceIds = workspacesOf(entitled.filter(({ workspace }) => workspace !== "ending"));
  if (workspaceIds.length > 1) return { type: "contested", workspaceIds };
  if (name === "" && entitled.length > 1) {
    return { type: "unnamed", names: entitled.map((one) => one.name).toSorted() };
  }
  const [candidate] = entitled;
  if (candidate?.workspace !== "current") return { type: "outdated" };
  return { type: "chosen", candidate };
}

/**
 * A pool whose preset names a machine is filled up once its workspace is claimed: the next one waits for the machine too, and
 * gets it when the claimed one is gone.
 */
function withoutNextInPool<C extends Candidate>(candidates: readonly C[]): readonly C[] {
  const owned = candidates.filter(({ isWaiting }) => !isWaiting);
  const isClaimed =
    owned.every(({ isOfPool }) => isOfPool) &&
    workspacesOf(owned.filter(({ workspace }) => workspace !== "ending")).length === 1;
  return isClaimed ? owned : candidates;
}

function workspacesOf(candidates: readonly Candidate[]): readonly string[] {
  return [...new Set(candidates.map(({ workspaceId }) => workspaceId))];
}
