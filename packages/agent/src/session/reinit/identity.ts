/** The identity that an agent lives under, by its manifest. */
export interface Identity {
  readonly ownerName: string;
  readonly agentId: string;
}

/** The owner of the workspaces that wait to be claimed (docs/protocol/prebuilds.md §1.1). */
export const prebuildsOwner = "prebuilds";

/**
 * The effect of a manifest on an agent: `run` its start scripts for the first time, `reinit`, wait because it is
 * `not-yet` claimed, or `nothing`.
 */
export type Decision = "run" | "reinit" | "not-yet" | "nothing";

/** Decides; `isAsked` when the manifest was fetched because an event came. */
export type Decide = (
  manifest: Identity,
  ranAs: Identity | undefined,
  isAsked: boolean,
) => Decision;

/**
 * Decides by the table of docs/claims.md. `ranAs` is the identity for which start scripts last ran. So frame, redial
 * and repeated frames are ways to one and the same reinit: whatever comes second finds the owner equal.
 */
export const decide: Decide = (manifest, ranAs, isAsked) => {
  if (ranAs === undefined) return "run";
  const isPrebuild = manifest.ownerName === prebuildsOwner;
  if (manifest.ownerName === ranAs.ownerName) return isPrebuild ? "not-yet" : "nothing";
  if (ranAs.ownerName === prebuildsOwner) return "reinit";
  // An agent that keeps its id under another owner's name: the owner has got another name.
  const isOther = !isPrebuild && manifest.agentId !== ranAs.agentId;
  return isOther && isAsked ? "reinit" : "nothing";
};

/**
 * Returns the identity to go by after a manifest that changed nothing. A new name of the owner and a new id of the
 * agent are followed one at a time, so that both together still mean somebody else.
 */
export function follow(manifest: Identity, ranAs: Identity): Identity {
  const isSame = manifest.ownerName === ranAs.ownerName || manifest.agentId === ranAs.agentId;
  return isSame ? manifest : ranAs;
}
