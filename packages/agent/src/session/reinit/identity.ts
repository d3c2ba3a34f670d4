/** The identity of an agent, from its manifest. */
export interface Identity {
  readonly ownerName: string;
  readonly agentId: string;
}

/** The owner of workspaces that wait for a claim (docs/protocol/prebuilds.md §1.1). */
export const prebuildsOwner = "prebuilds";

/**
 * The effect of a manifest on an agent: `run` its start scripts for the first time, `reinit`, wait because it is
 * `not-yet` claimed, or `nothing`.
 */
export type Decision = "run" | "reinit" | "not-yet" | "nothing";

/** Decides the effect of a manifest. `isAsked` is true if it was fetched because of an event. */
export type Decide = (
  manifest: Identity,
  ranAs: Identity | undefined,
  isAsked: boolean,
) => Decision;

/**
 * Decides by the table of docs/claims.md. `ranAs` is the identity for which start scripts last ran. Frames, redials and
 * repeated frames thus lead to one reinit: the second of them finds the owner unchanged.
 */
export const decide: Decide = (manifest, ranAs, isAsked) => {
  if (ranAs === undefined) return "run";
  const isPrebuild = manifest.ownerName === prebuildsOwner;
  if (manifest.ownerName === ranAs.ownerName) return isPrebuild ? "not-yet" : "nothing";
  if (ranAs.ownerName === prebuildsOwner) return "reinit";
  // If the agent keeps its id under another owner's name, the owner was renamed.
  const isOther = !isPrebuild && manifest.agentId !== ranAs.agentId;
  return isOther && isAsked ? "reinit" : "nothing";
};

/**
 * Returns the identity after a manifest without an effect. A new owner name or a new agent id alone is adopted; both
 * together still mean another owner.
 */
export function follow(manifest: Identity, ranAs: Identity): Identity {
  const isSame = manifest.ownerName === ranAs.ownerName || manifest.agentId === ranAs.agentId;
  return isSame ? manifest : ranAs;
}
