import type { Mutant } from "../mutant.ts";

const network = "packages/server/src/network";
const access = {
  project: "db",
  files: ["packages/server/tests/client-access.test.ts"],
} as const;
const directory = {
  project: "db",
  files: ["packages/server/tests/coordinator.test.ts"],
} as const;
const tokens = {
  project: "unit",
  files: ["packages/server/src/network/resume-token.test.ts"],
} as const;
const lists = {
  project: "db",
  files: ["packages/server/tests/workspace-watch.test.ts"],
} as const;

/** Clients that keep their way into agents, or lose what is theirs. */
export const accessFaults: readonly Mutant[] = [
  {
    name: "lost-clients-are-not-watched",
    breaks: "a suspended user keeps the way into agents by breaking off the connection first",
    file: `${network}/coordinator/absent-clients.ts`,
    find: "`(peer.is_lost",
    replace: "`(false",
    suite: access,
  },
  {
    name: "clients-of-dead-replicas-are-not-watched",
    breaks: "a client whose replica died reaches its agent after its role has ended",
    file: `${network}/coordinator/absent-clients.ts`,
    find: "  or coordinator.heartbeat_at < now()",
    replace: "  or false and coordinator.heartbeat_at < now()",
    suite: directory,
  },
  {
    name: "absent-clients-stay",
    breaks: "an absent client is not forgotten when its key ends",
    file: `${network}/client-access.ts`,
    find: "if (gone.length > 0) await",
    replace: "if (gone.length > 1000) await",
    suite: access,
  },
  {
    name: "absent-tunnels-stay",
    breaks: "a lost client keeps its tunnel to an agent that is gone",
    file: `${network}/client-access.ts`,
    find: "if (closed.length > 0) await",
    replace: "if (closed.length > 1000) await",
    suite: access,
  },
  {
    name: "first-key-ends-the-second",
    breaks: "a client that came back by another key is cut off when the first one ends",
    file: `${network}/coordinator/coordinator.ts`,
    find: `    if (connection?.peer.keyId !== keyId) return;
`,
    replace: "",
    suite: directory,
  },
  {
    name: "rules-begin-anew",
    breaks:
      "a second call of a session, or a resumed one, claims the address of an agent that the first one reached",
    file: `${network}/coordinator/coordinate.ts`,
    find: `    peer.recall?.(await needs.coordinator.readStanding(peer.id));
`,
    replace: "",
    suite: access,
  },
  {
    name: "published-addresses-are-forgotten",
    breaks: "a resumed session opens a tunnel to the agent whose address it published before",
    file: `${network}/coordinator/peer-policy.ts`,
    find: "    own = [...new Set([own,",
    replace: "    void [...new Set([own,",
    suite: access,
  },
  {
    name: "resume-tokens-do-not-expire",
    breaks: "a resume token is good for ever",
    file: `${network}/resume-token.ts`,
    find: "return Number(expiresAtMs) > this.#clock.now() ? peerId : undefined;",
    replace: "return peerId;",
    suite: tokens,
  },
  {
    name: "resume-tokens-are-for-any-agent",
    breaks: "a resume token for one agent is taken for another",
    file: `${network}/resume-token.ts`,
    find: " || where !== audience) return",
    replace: " || where === undefined) return",
    suite: tokens,
  },
  {
    name: "second-page-is-the-first",
    breaks: "a list that is filtered by agents begins anew on each page",
    file: "packages/server/src/features/workspaces/list-service.ts",
    find: "found.slice(offset, end)",
    replace: "found.slice(0, limit)",
    suite: lists,
  },
];
