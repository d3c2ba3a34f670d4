import type { ParamsOf, QueryOf, ResponseOf, Route } from "@slipway/api/contract/route";
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useEffectEvent, useState } from "react";

import { client } from "./client.ts";
import { meQuery } from "./session.ts";
import { readSharedStream } from "./shared-stream.ts";

interface StreamInput<R extends Route> {
  readonly params?: ParamsOf<R>;
  readonly query?: QueryOf<R>;
}

/**
 * Reads the socket of a route while the component is there; `onMessage` gets each message. Returns whether the page is
 * up to date: false from a lost connection until the next message.
 */
export function useStream<R extends Route>(
  route: R,
  input: StreamInput<R>,
  onMessage: (message: ResponseOf<R>) => void,
): boolean {
  const [isLive, setLive] = useState(true);
  const cache = useQueryClient();
  const url = client.url(route, input);
  const hear = useEffectEvent(onMessage);
  useEffect(() => {
    const ended = new AbortController();
    void readSharedStream({
      url,
      signal: ended.signal,
      onEvent: (event) => {
        setLive(event.kind === "message");
        // The session may have ended, perhaps in another tab: the cache leads to the log-in if the server says so.
        if (event.kind === "lost") void cache.invalidateQueries({ queryKey: meQuery.queryKey });
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- messages are trusted to follow the contract
        if (event.kind === "message") hear(JSON.parse(event.text) as ResponseOf<R>);
      },
    });
    return () => ended.abort();
  }, [url, cache]);
  return isLive;
}
