/** A place in a workspace. */
export interface RemotePlace {
  readonly kind: "remote";
  /** The reference to the agent: `[owner/]workspace[.agent]`. */
  readonly agent: string;
  /** Absolute, or below `~`. */
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
  return { kind: "remote", agent, path: remotePath(path) };
}

export function isLocal(place: Place): place is LocalPlace {
  return place.kind === "local";
}

function remotePath(path: string): string {
  if (path === "") return "~";
  return path.startsWith("/") || path === "~" || path.startsWith("~/") ? path : `~/${path}`;
}
