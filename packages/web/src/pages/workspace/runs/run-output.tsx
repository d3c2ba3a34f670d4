import { listRuns, type Run } from "@slipway/api/agents/run-routes";
import { webClock } from "@slipway/runtime";
import { Runs } from "@slipway/sdk/runs";
import { useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useEffect, useLayoutEffect, useRef, useState } from "react";

import { client } from "../../../api/client.ts";
import { refresh } from "../../../api/queries.ts";
import { errorText } from "../../../ui/error-text.ts";
import { Notice } from "../../../ui/notice.tsx";
import { untrusted, untrustedLines } from "../../../ui/untrusted-text.tsx";
import { appendOutput } from "./run-text.ts";

interface RunOutputProps {
  readonly run: Run;
  readonly agentId: string;
  readonly workspaceId: string;
}

/** The output of a run, as it comes. */
export function RunOutput({ run, agentId, workspaceId }: RunOutputProps): ReactNode {
  const place = useRef<HTMLDivElement>(null);
  const [output, setOutput] = useState("");
  const [error, setError] = useState<unknown>();
  const cache = useQueryClient();
  const { id } = run;
  useEffect(() => {
    const ended = new AbortController();
    const { signal } = ended;
    const runs = new Runs({ client, agentId, workspaceId, clock: webClock });
    const follow = async (): Promise<void> => {
      setOutput("");
      for await (const { text } of runs.attach(id, { signal })) {
        setOutput((last) => appendOutput(last, text));
      }
      await refresh(cache, listRuns);
    };
    follow().catch((failure: unknown) => {
      if (!signal.aborted) setError(failure);
    });
    return () => ended.abort();
  }, [agentId, workspaceId, id, cache]);
  useLayoutEffect(() => {
    place.current?.scrollTo({ top: place.current.scrollHeight });
  }, [output]);
  return (
    <>
      {error !== undefined && (
        <div className="p-4">
          <Notice tone="bad" title={untrusted(errorText(error))} />
        </div>
      )}
      <div
        ref={place}
        role="log"
        aria-label="Output"
        aria-live="off"
        tabIndex={0}
        className="max-h-96 overflow-auto bg-sunken px-4 py-2 font-mono text-xs leading-5"
      >
        {output === "" ? (
          <p className="text-ink-soft">
            {run.status === "running" ? "Nothing has been written yet." : "It wrote nothing."}
          </p>
        ) : (
          <bdi className="whitespace-pre-wrap wrap-anywhere">{untrustedLines(output)}</bdi>
        )}
      </div>
    </>
  );
}
