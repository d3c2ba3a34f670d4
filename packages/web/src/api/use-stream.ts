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
 * The state of a stream. `lost`: its connection is being opened again. `refused`: the server answers requests, but no socket of the
 * stream brings a message, as behind a proxy that strips upgrades.
 */
export type StreamState = "live" | "lost" | "refused";

/** The number of failed sockets in a row, with the server in reach, from which a stream is refused. */
const minRefusals = 2;

interface StreamReader<R extends Route> {
  readonly onMessage: (message: ResponseOf<R>) => void;
  /** Called after each failed attempt while the server answers requests, to read what the stream would have told. */
  readonly onMissed?: () => void;
}

/** Reads the socket of a route while the component is there. */
export function useStream<R extends Route>(
  route: R,
  input: StreamInput<R>,
  { onMessage, onMissed }: StreamReader<R>,
): StreamState {
  const [state, setState] = useState<StreamState>("live");
  const cache = useQueryClient();
  const url = client.url(route, input);
  const hear = useEffectEvent(onMessage);
  const miss = useEffectEvent(() => onMissed?.());
  useEffect(() => {
    const ended = new AbortController();
    let events = 0;
    let refusals = 0;
    const look = async (event: number): Promise<void> => {
      // The session may have ended, perhaps in another tab: the cache leads to the log-in if the server says so.
      const { queryKey } = meQuery;
      await cache.invalidateQueries({ queryKey });
      if (ended.signal.aborted || event !== events) return;
      refusals = cache.getQueryState(queryKey)?.status === "success" ? refusals + 1 : 0;
      setState(refusals < minRefusals ? "lost" : "refused");
      if (refusals > 0) miss();
    };
    void readSharedStream({
      url,
      signal: ended.signal,
      onEvent: (event) => {
        events += 1;
        if (event.kind === "lost") {
          setState((last) => (last === "live" ? "lost" : last));
          void look(events);
          return;
        }
        refusals = 0;
        setState("live");
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- messages are trusted to follow the contract
        hear(JSON.parse(event.text) as ResponseOf<R>);
      },
    });
    return () => ended.abort();
  }, [url, cache]);
  return state;
}
