import type { Clock } from "@slipway/runtime";

import { listDirectory } from "./list-directory.ts";
import { ListeningPorts } from "./listening-ports.ts";
import { type ApiRoute, jsonAnswer } from "./route.ts";

export interface BaseRoutesOptions {
  readonly clock: Clock;
  readonly home: string;
  /** The agent's own ports, which are not listed. */
  readonly ownPorts: ReadonlySet<number>;
  /** Resolves to the network report, as JSON. */
  readonly netcheck: () => Promise<object>;
}

/** The routes about the agent itself and its machine. */
export function baseRoutes({ clock, home, ownPorts, netcheck }: BaseRoutesOptions): ApiRoute[] {
  const ports = new ListeningPorts(clock, ownPorts);
  return [
    {
      kind: "plain",
      method: "GET",
      path: "/",
      handle: async () => jsonAnswer({ message: "The agent of this workspace is listening." }),
    },
    {
      kind: "plain",
      method: "GET",
      path: "/api/v0/listening-ports",
      handle: async () => jsonAnswer({ ports: await ports.list() }),
    },
    {
      kind: "plain",
      method: "GET",
      path: "/api/v0/netcheck",
      handle: async () => jsonAnswer(await netcheck()),
    },
    {
      kind: "json",
      method: "POST",
      path: "/api/v0/list-directory",
      handle: async ({ query, body }) => jsonAnswer(await listDirectory(query, body, home)),
    },
  ];
}
