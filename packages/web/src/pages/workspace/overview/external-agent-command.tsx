import { getExternalAgentCredentials } from "@slipway/api/workspaces/external-agent-routes";
import { useMutation } from "@tanstack/react-query";
import type { ReactNode } from "react";

import { client } from "../../../api/client.ts";
import { FailureNotice } from "../../../components/page-failure.tsx";
import { Button } from "../../../ui/button.tsx";
import { CodeLine } from "../../../ui/copy.tsx";
import { useWorkspace } from "../use-workspace.tsx";

/** The command that starts an agent on the user's machine. It holds the agent's token, so it is asked for. */
export function ExternalAgentCommand({ agentName }: { readonly agentName: string }): ReactNode {
  const { id } = useWorkspace();
  const read = useMutation({
    mutationFn: () =>
      client.call(getExternalAgentCredentials, { params: { workspace: id, agent: agentName } }),
  });
  return (
    <div className="mt-3 flex flex-col gap-2">
      {read.isError && <FailureNotice error={read.error} />}
      {read.data === undefined ? (
        <div>
          <Button size="small" isBusy={read.isPending} onClick={() => read.mutate()}>
            Show the command that starts it
          </Button>
        </div>
      ) : (
        <>
          <p className="text-sm text-ink-soft">
            Run this on the machine of the agent. It contains the agent’s token: treat it like a
            password.
          </p>
          <CodeLine>{read.data.command}</CodeLine>
        </>
      )}
    </div>
  );
}
