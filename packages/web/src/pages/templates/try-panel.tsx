import type { JobLog } from "@slipway/api/jobs/job";
import {
  createDryRun,
  getDryRun,
  getDryRunLogs,
  listDryRunResources,
} from "@slipway/api/templates/dry-run-routes";
import type { TemplateVersion } from "@slipway/api/templates/template-version";
import { webClock } from "@slipway/runtime";
import { followLog } from "@slipway/sdk/stream";
import { useMutation } from "@tanstack/react-query";
import { type ReactNode, useEffect, useRef } from "react";

import { client } from "../../api/client.ts";
import { Button } from "../../ui/button.tsx";
import { Panel } from "../../ui/layout.tsx";
import { Notice } from "../../ui/notice.tsx";
import { untrustedLines, UntrustedText } from "../../ui/untrusted-text.tsx";

/** Plans a workspace of a version with the default values, without creating one. */
export function TryPanel({ version }: { readonly version: TemplateVersion }): ReactNode {
  const ended = useRef<AbortController>(null);
  useEffect(() => () => ended.current?.abort(), []);
  const dryRun = useMutation({
    mutationFn: async () => {
      ended.current = new AbortController();
      return planWorkspace(version.id, ended.current.signal);
    },
  });
  return (
    <Panel
      title="Try it"
      actions={
        <Button size="small" isBusy={dryRun.isPending} onClick={() => dryRun.mutate()}>
          Plan a workspace
        </Button>
      }
    >
      {dryRun.isError ? (
        <Notice tone="bad" title="A workspace cannot be created with the default values.">
          <pre className="font-mono whitespace-pre-wrap">
            {untrustedLines(dryRun.error.message)}
          </pre>
        </Notice>
      ) : dryRun.data === undefined ? (
        <p className="text-ink-soft">
          Plans a workspace with the default values of the parameters without creating it.
        </p>
      ) : (
        <ul aria-label="Planned resources" className="flex flex-col gap-1">
          {dryRun.data.map((resource) => (
            <li key={resource.id}>
              <span className="font-medium">
                <UntrustedText>{resource.name}</UntrustedText>
              </span>{" "}
              <span className="text-ink-soft">
                <UntrustedText>{resource.type}</UntrustedText>
                {resource.agents !== undefined && resource.agents.length > 0 && (
                  <>
                    , agents:{" "}
                    <UntrustedText>
                      {resource.agents.map(({ name }) => name).join(", ")}
                    </UntrustedText>
                  </>
                )}
              </span>
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}

/** Runs a dry run to its end and returns what it planned; throws an `Error` with its log if it failed. */
async function planWorkspace(
  versionId: string,
  signal: AbortSignal,
): ReturnType<typeof client.call<typeof listDryRunResources>> {
  const { id: job } = await client.call(createDryRun, {
    params: { version: versionId },
    body: { workspace_name: "try", rich_parameter_values: [] },
    signal,
  });
  const params = { version: versionId, job };
  const lines: string[] = [];
  const log = followLog<JobLog, typeof getDryRunLogs>({
    client,
    route: getDryRunLogs,
    params,
    clock: webClock,
    signal,
    isComplete: async () => {
      const { completed_at: at } = await client.call(getDryRun, { params, signal });
      return at !== undefined;
    },
  });
  for await (const { output } of log) if (output !== "") lines.push(output);
  const done = await client.call(getDryRun, { params, signal });
  if (done.status !== "succeeded") throw new Error(done.error ?? lines.join("\n"));
  return client.call(listDryRunResources, { params, signal });
}
