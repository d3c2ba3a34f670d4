import type { WorkspaceAgent } from "@slipway/api/agents/agent";
import {
  type AgentMetadata as MetadataItem,
  watchAgentMetadataSocket,
} from "@slipway/api/agents/metadata-routes";
import { type ReactNode, useState } from "react";

import { useStream } from "../../../api/use-stream.ts";
import { classNames } from "../../../ui/class-names.ts";
import { untrusted, UntrustedText } from "../../../ui/untrusted-text.tsx";

/** The values that an agent measures, as they change. */
export function AgentMetadata({ agent }: { readonly agent: WorkspaceAgent }): ReactNode {
  const [items, setItems] = useState<readonly MetadataItem[]>([]);
  const input = { params: { agent: agent.id } };
  const stream = useStream(watchAgentMetadataSocket, input, {
    onMessage: ({ data }) => setItems(data),
  });
  if (items.length === 0) return null;
  return (
    <dl
      aria-label="Live values"
      className={classNames(
        "grid grid-cols-[repeat(auto-fit,minmax(9rem,1fr))] overflow-hidden border-b border-line",
        stream !== "live" && "opacity-60",
      )}
    >
      {items.map((item) => (
        <Tile key={item.description.key} item={item} />
      ))}
    </dl>
  );
}

function Tile({ item: { description, result } }: { readonly item: MetadataItem }): ReactNode {
  const value = result.value.trim();
  const hasFailed = result.error !== "";
  return (
    <div className="-mr-px -mb-px min-w-0 border-r border-b border-line px-4 py-2.5">
      <dt className="truncate text-xs text-ink-soft">
        <UntrustedText>{description.display_name || description.key}</UntrustedText>
      </dt>
      <dd
        className={classNames(
          "truncate text-base font-medium tabular-nums",
          hasFailed && "text-sm text-bad",
        )}
        title={untrusted(hasFailed ? result.error : value)}
      >
        {hasFailed ? untrusted(result.error) : value === "" ? "–" : untrusted(value)}
      </dd>
    </div>
  );
}
