import { files } from "./agent/files.ts";
import { logs } from "./agent/logs.ts";
import { sessions } from "./agent/sessions.ts";
import type { Mutant } from "./mutant.ts";

/** Bugs in the agent: what it opens, and events that come twice, late or not at all. */
export const agent: readonly Mutant[] = [...files, ...sessions, ...logs];
