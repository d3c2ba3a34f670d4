/** Parsers of outside bytes, for their fuzzing alone (`npm run fuzz:codecs`). */
export { readDuration } from "./command/duration.ts";
export { UsageError } from "./command/errors.ts";
export { firstEvent } from "./commands/show/first-event.ts";
export { readWorkspaceReference } from "./resources/workspaces/workspace-reference.ts";
