import { posix, win32 } from "node:path";

import type { WorkspaceAgent } from "@slipway/api";

import { UsageError } from "../../../command/errors.ts";

/**
 * Returns the directory that an editor opens: the agent's own, or `wanted`, if relative below the agent's own. Undefined
 * if there is neither. Throws `UsageError` for a path that only a shell understands, and for a relative one without a
 * base.
 */
export function remoteDirectory(
  {
    expanded_directory: base,
    operating_system,
  }: Pick<WorkspaceAgent, "expanded_directory" | "operating_system">,
  wanted: string | undefined,
): string | undefined {
  if (wanted === undefined || wanted === "") return base;
  if (wanted === "~" || /^~[/\\]/.test(wanted)) {
    throw new UsageError(`"${wanted}" is not opened: wanted a path without ~`);
  }
  const path = operating_system === "windows" ? win32 : posix;
  if (path.isAbsolute(wanted)) return path.normalize(wanted);
  if (base !== undefined) return path.join(base, wanted);
  throw new UsageError(
    `"${wanted}" is relative, and the agent has no directory: wanted an absolute path`,
  );
}
