/** Parsers of outside bytes, exported only for fuzzing (`npm run fuzz:codecs`). */
export { readDuration } from "./command/duration.ts";
export { UsageError } from "./command/errors.ts";
export { readForwards } from "./commands/port-forward/forward-spec.ts";
export { firstEvent } from "./commands/show/first-event.ts";
export { readSshForward } from "./commands/ssh/forward-spec.ts";
export { readEscapes } from "./commands/ssh/escapes.ts";
export { readAgentReference, readHost } from "./resources/network/agent-reference.ts";
export { readWorkspaceReference } from "./resources/workspaces/workspace-reference.ts";
