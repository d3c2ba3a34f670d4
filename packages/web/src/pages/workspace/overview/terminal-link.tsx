import type { WorkspaceAgent } from "@slipway/api/agents/agent";
import type { ReactNode } from "react";

import { workspacePath } from "../../../components/workspaces/workspace-address.ts";
import { Button, buttonClasses } from "../../../ui/button.tsx";
import { useWorkspace } from "../use-workspace.tsx";

interface TerminalLinkProps {
  readonly agent: Pick<WorkspaceAgent, "name" | "status">;
  /** The container in which the terminal opens. */
  readonly container?: string;
  readonly look?: "primary" | "secondary" | "ghost";
  readonly size?: "small" | "normal";
  readonly children: ReactNode;
}

/** A link to a terminal of an agent, in its own tab. */
export function TerminalLink({
  agent,
  container,
  look = "secondary",
  size = "normal",
  children,
}: TerminalLinkProps): ReactNode {
  const workspace = useWorkspace();
  if (agent.status !== "connected") {
    return (
      <Button look={look} size={size} disabledReason="Its agent is not connected">
        {children}
      </Button>
    );
  }
  const path = `${workspacePath(workspace, agent.name)}/terminal`;
  const query = container === undefined ? "" : `?container=${encodeURIComponent(container)}`;
  return (
    <a
      href={`${path}${query}`}
      target="_blank"
      className={buttonClasses(look, size)}
      rel="noreferrer"
    >
      {children}
    </a>
  );
}
