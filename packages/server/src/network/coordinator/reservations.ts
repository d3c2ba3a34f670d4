import type { PublishedKeys } from "@slipway/relay";

import type { Queryable } from "../../platform/db/database.ts";
import type { Coordinator } from "./coordinator.ts";
import { reservedNodeKey, reservedNodeKeyOf } from "./node-key.ts";
import { selectReserved } from "./queries.ts";

interface PeerKeysNeeds {
  readonly db: Queryable;
  readonly coordinator: Pick<Coordinator, "onPublished">;
}

/** The keys that peers have published at the coordinators of all replicas; only this replica's tells at once. */
export function peerKeys({ db, coordinator }: PeerKeysNeeds): PublishedKeys {
  return {
    find: async (keys) => {
      const values = await selectReserved(db, keys.map(reservedNodeKey));
      return new Set(values.flatMap((value) => reservedNodeKeyOf(value) ?? []));
    },
    onPublished: (listener) =>
      coordinator.onPublished(({ reserved }) => {
        for (const value of reserved) {
          const key = reservedNodeKeyOf(value);
          if (key !== undefined) listener(key);
        }
      }),
  };
}
