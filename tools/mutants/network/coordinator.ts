import type { Mutant } from "../mutant.ts";

const coordinator = "packages/server/src/network/coordinator";
const directory = {
  project: "db",
  files: ["packages/server/tests/coordinator.test.ts"],
} as const;
const budgets = {
  project: "unit",
  files: ["packages/server/src/features/agents/rpc/write-budgets.test.ts"],
} as const;
const requests = {
  project: "unit",
  files: [
    "packages/server/src/network/coordinator/coordinate.test.ts",
    "packages/server/src/network/coordinator/node-key.test.ts",
  ],
} as const;

const connections = {
  project: "unit",
  files: ["packages/server/src/network/coordinator/peer-connection.test.ts"],
} as const;

/** Faults in what the coordinator keeps, frees and repeats. */
export const coordinatorFaults: readonly Mutant[] = [
  {
    name: "only-the-first-page-is-absent",
    breaks: "the 1,001st absent client is watched by nobody",
    file: `${coordinator}/absent-clients.ts`,
    find: "if (rows.length < size) return;",
    replace: "return;",
    suite: directory,
  },
  {
    name: "one-that-came-back-is-removed",
    breaks: "a client that came back between two looks is removed with its newer entry",
    file: `${coordinator}/absent-clients.ts`,
    find: `peer.revision = any(\${sql.val([...revisions])}::bigint[])`,
    replace: `peer.revision >= any(\${sql.val([...revisions])}::bigint[])`,
    suite: directory,
  },
  {
    name: "old-reservations-stay",
    breaks: "every change of a node leaves the addresses and keys of the one before",
    file: `${coordinator}/queries.ts`,
    find: `earlier.value <> all(\${all})`,
    replace: "earlier.value is null",
    suite: directory,
  },
  {
    name: "refused-nodes-release",
    breaks: "a node that is refused frees what the present one has",
    file: `${coordinator}/queries.ts`,
    find: `(select count(*) from reserved) = \${values.length}`,
    replace: "(select count(*) from reserved) >= 0",
    suite: directory,
  },
  {
    name: "other-replicas-release",
    breaks: "a node on one replica frees what that on another still has",
    file: `${coordinator}/queries.ts`,
    find: `          and not \${isPublished("earlier", { id, coordinatorId })})`,
    replace: "          )",
    suite: directory,
  },
  {
    name: "earlier-readiness-is-repeated",
    breaks: "a peer that was ready before its first node says so again with each node",
    file: `${coordinator}/peer-connection.ts`,
    find: `      this.#earlyReady.clear();
`,
    replace: "",
    suite: directory,
  },
  {
    name: "refused-reservations-are-debts",
    breaks: "a peer that asks on while it is refused waits longer each time",
    file: "packages/server/src/features/agents/rpc/write-budgets.ts",
    find: "    if (waitMs <= maxWaitMs) bucket.left -= cost;",
    replace: "    bucket.left -= cost;",
    suite: budgets,
  },
  {
    name: "calls-have-no-budget",
    breaks: "calls that are broken off cost their caller nothing",
    file: `${coordinator}/coordinate.ts`,
    find: `mayGoOn(needs, peer, "coordinations", signal)`,
    replace: `mayGoOn(needs, { ...peer, reserve: () => 0 }, "coordinations", signal)`,
    suite: requests,
  },
  {
    name: "keys-have-two-spellings",
    breaks: "a peer publishes the key of another with its highest bit set",
    file: `${coordinator}/node-key.ts`,
    find: "(bytes[last] ?? 0) & 0x7f",
    replace: "(bytes[last] ?? 0) & 0xff",
    suite: requests,
  },
  {
    name: "tunnels-asked-for-again-are-silent",
    breaks: "a peer that asks again for a tunnel is not told of the other end",
    file: `${coordinator}/peer-connection.ts`,
    find: `    this.#told.repeat(destination);
`,
    replace: "",
    suite: connections,
  },
  {
    name: "two-holders-get-one-value",
    breaks: "of two holders that publish a value at once the later one takes it from the other",
    file: `${coordinator}/queries.ts`,
    find: `  await sql\`
    insert into tailnet_reservations (value, holder, peer_id)
      select distinct value, \${holder}, \${id}::uuid from unnest(\${all}) as value order by value
      on conflict (value) do update set value = excluded.value where false\`.execute(db);
  const { rows } = await sql<{ count: number }>\`
    with reserved as (
      update tailnet_reservations present set holder = \${holder}, peer_id = \${id}
        where present.value = any(\${all})
          and (present.holder = \${holder} or not \${isPublished("present", undefined)})
        returning value),
`,
    replace: `  const { rows } = await sql<{ count: number }>\`
    with reserved as (
      insert into tailnet_reservations as present (value, holder, peer_id)
        select distinct value, \${holder}, \${id}::uuid from unnest(\${all}) as value order by value
        on conflict (value) do update set holder = excluded.holder, peer_id = excluded.peer_id
          where present.holder = excluded.holder or not \${isPublished("present", undefined)}
        returning value),
`,
    suite: directory,
  },
];
