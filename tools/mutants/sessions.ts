import type { Mutant } from "./mutant.ts";

const heartbeat = "packages/server/src/features/agents/connection/heartbeat.ts";
const queries = "packages/server/src/features/agents/connection/connection-queries.ts";
const monitor = "packages/server/src/features/agents/connection/connection-monitor.ts";
const suite = { project: "db", files: ["packages/server/tests/session-takeover.test.ts"] } as const;

/** Bugs in the connection times of agents with several sessions (docs/protocol/rpc.md §5). */
export const sessions: readonly Mutant[] = [
  {
    name: "end-hands-nothing-over",
    breaks: "an agent seems to be gone when a second session of it ends",
    file: monitor,
    find: "  await heartbeat.handOver(session);\n",
    replace: "",
    suite,
  },
  {
    name: "beat-takes-nothing-over",
    breaks: "an agent stays disconnected after its other session ended at another replica",
    file: heartbeat,
    find: "      await this.#takeOver(heirs, undefined);\n",
    replace: "",
    suite,
  },
  {
    name: "silent-session-takes-over",
    breaks: "a half-open session makes an agent that is gone seem connected",
    file: heartbeat,
    find: "          isResponsive && !holders",
    replace: "          !holders",
    suite,
  },
  {
    name: "companion-takes-over",
    breaks: "another program with the token makes an agent that is gone seem connected",
    file: heartbeat,
    find: "onTakeOver !== undefined && !isOver",
    replace: "!isOver",
    suite,
  },
  {
    name: "takes-over-from-the-living",
    breaks: "an old session takes the row from a newer one that is open",
    file: queries,
    find: '(coalesce(a.connection_id = ${succeeds}::uuid, false) or not ${isConnected("a")})',
    replace: "true",
    suite,
  },
  {
    name: "heir-that-ended-stays-connected",
    breaks: "a session that ended while it took over seems open for half a minute",
    file: heartbeat,
    find: "    await this.#endAgain(heirs);\n",
    replace: "",
    suite,
  },
  {
    name: "takeover-without-a-hint",
    breaks: "watchers do not learn that an agent is back",
    file: heartbeat,
    find: "if (taken.has(session.connectionId)) onTakeOver?.();",
    replace: "if (taken.has(session.agentId)) onTakeOver?.();",
    suite,
  },
  {
    name: "takeover-as-a-new-start",
    breaks: "a session that took over counts as one that has just begun",
    file: queries,
    find: "connected_at = heir.authenticated_at, updated_at = now()",
    replace: "connected_at = now(), updated_at = now()",
    suite,
  },
];
