import type { WorkspaceAgent } from "@slipway/api/agents/agent";
import { type AgentLog, getAgentLogs } from "@slipway/api/agents/log-routes";
import { type ReactNode, useMemo, useState } from "react";

import { agentLogRows } from "../../../components/logs/log-row.ts";
import { LogView } from "../../../components/logs/log-view.tsx";
import { useLog } from "../../../components/logs/use-log.ts";
import { Select } from "../../../ui/field.tsx";
import { untrusted } from "../../../ui/untrusted-text.tsx";
import { useWorkspace } from "../use-workspace.tsx";

/** The log of an agent, of all its scripts or of one. */
export function AgentLogs({ agent }: { readonly agent: WorkspaceAgent }): ReactNode {
  const { name: workspace } = useWorkspace();
  const log = useLog<AgentLog, typeof getAgentLogs>(getAgentLogs, { agent: agent.id });
  const [source, setSource] = useState("");
  const { log_sources: sources } = agent;
  const rows = useMemo(() => {
    const names = new Map(sources.map(({ id, display_name: name }) => [id, name]));
    const entries = log.entries.filter(({ source_id: id }) => source === "" || id === source);
    return agentLogRows(entries, names);
  }, [log.entries, source, sources]);
  return (
    <LogView
      label={`Log of ${untrusted(agent.name)}`}
      rows={rows}
      error={log.error}
      empty="Nothing has been written yet. The output of start scripts appears here."
      fileName={`${workspace}-${agent.name}.log`}
      actions={
        <div className="w-52 px-1">
          <Select aria-label="Source" value={source} onValue={setSource}>
            <option value="">All sources</option>
            {sources.map(({ id, display_name: name }) => (
              <option key={id} value={id}>
                {untrusted(name)}
              </option>
            ))}
          </Select>
        </div>
      }
    />
  );
}
