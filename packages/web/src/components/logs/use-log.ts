import type { ParamsOf, Route } from "@slipway/api/contract/route";
import { webClock } from "@slipway/runtime";
import { followLog } from "@slipway/sdk/stream";
import { useEffect, useEffectEvent, useState } from "react";

import { client } from "../../api/client.ts";

/** A log as far as it has been read. */
export interface FollowedLog<T> {
  readonly entries: readonly T[];
  /** `live`: more may come; `lost`: the connection is being opened again; `over`: it is complete. */
  readonly state: "live" | "lost" | "over";
  /** The refusal of the server, after which nothing more comes. */
  readonly error: unknown;
}

/** Lines that arrive within this time are shown together. */
const flushMs = 50;

const nothing = { entries: [], state: "live", error: undefined } as const;

/**
 * Follows the log of a route while the component is there. `isComplete`: true once nothing more is written, which ends the
 * reading where no socket says so (default: false).
 */
export function useLog<T extends { readonly id: number }, R extends Route>(
  route: R,
  params: ParamsOf<R>,
  isComplete = false,
): FollowedLog<T> {
  const url = client.url(route, { params });
  const [log, setLog] = useState<FollowedLog<T> & { readonly url: string }>({ ...nothing, url });
  const isOver = useEffectEvent(() => isComplete);
  const follow = useEffectEvent((signal: AbortSignal, onReconnect: () => void) =>
    followLog<T, R>({
      client,
      route,
      params,
      clock: webClock,
      signal,
      onReconnect,
      isComplete: async () => isOver(),
    }),
  );
  useEffect(() => {
    const ended = new AbortController();
    let waiting: T[] = [];
    let timer: ReturnType<typeof setTimeout> | undefined;
    setLog({ ...nothing, url });
    const flush = (change: Partial<FollowedLog<T>> = {}): void => {
      clearTimeout(timer);
      timer = undefined;
      const added = waiting;
      waiting = [];
      setLog((last) => ({ ...last, ...change, entries: [...last.entries, ...added] }));
    };
    const read = async (): Promise<void> => {
      for await (const entry of follow(ended.signal, () => flush({ state: "lost" }))) {
        waiting.push(entry);
        timer ??= setTimeout(() => flush({ state: "live" }), flushMs);
      }
      flush({ state: "over" });
    };
    read().catch((error: unknown) => {
      if (!ended.signal.aborted) flush({ state: "over", error });
    });
    return () => {
      ended.abort();
      clearTimeout(timer);
    };
  }, [url]);
  return log.url === url ? log : nothing;
}
