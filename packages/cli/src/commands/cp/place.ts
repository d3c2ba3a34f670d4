/** A place in a workspace. */
export interface RemotePlace {
  readonly kind: "remote";
  /** The reference to the agent: `[owner/]workspace[.agent]`. */
  readonly agent: string;
  /** The path: absolute, below `~`, or else below the agent's working directory; empty for that itself. */
  readonly path: string;
}

interface LocalPlace {
  readonly kind: "local";
  readonly path: string;
}

/** Standard input or output. */
interface StreamPlace {
  readonly kind: "stream";
}

/** The source or the destination of a copy. */
export type Place = RemotePlace | LocalPlace | StreamPlace;

/**
 * Reads a place: `-`, a path on this machine, or one in a workspace after a colon. A path on this machine with a colon in
 * its first name is written as `./a:b`.
 */
export function readPlace(text: string): Place {
  if (text === "-") return { kind: "stream" };
  const [, agent, path] = /^([\w-]+(?:\/[\w-]+)?(?:\.[\w-]+)?):(.*)$/s.exec(text) ?? [];
  if (agent === undefined || path === undefined) return { kind: "local", path: text };
  return { kind: "remote", agent, path };
}

export function isLocal(place: Place): place is LocalPlace {
  return place.kind === "local";
}

/** Returns whether a path in a workspace begins in the agent's working directory. */
export function isRelative(path: string): boolean {
  return !(path.startsWith("/") || path === "~" || path.startsWith("~/"));
}
