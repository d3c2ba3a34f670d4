import { agentTricks } from "./agent-tricks.ts";
import { memberTricks } from "./member-tricks.ts";
import type { CastName } from "./options.ts";
import { relayTricks } from "./relay-tricks.ts";
import { strangerTricks } from "./stranger-tricks.ts";
import type { Trick } from "./trick.ts";

/** The tricks of each group, in the order of play. */
export const casts: Readonly<Record<CastName, readonly Trick[]>> = {
  agents: agentTricks,
  members: memberTricks,
  strangers: strangerTricks,
  "relay-clients": relayTricks,
};

export const castNames: readonly CastName[] = ["agents", "members", "strangers", "relay-clients"];
