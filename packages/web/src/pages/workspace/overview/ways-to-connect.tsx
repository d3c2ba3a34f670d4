import type { WorkspaceAgent } from "@slipway/api/agents/agent";
import { getConnection } from "@slipway/api/agents/connection-routes";
import { createKey } from "@slipway/api/users/key-routes";
import { editorUrl } from "@slipway/api/workspaces/editor-url";
import { useMutation, useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";

import { client } from "../../../api/client.ts";
import { routeQuery } from "../../../api/queries.ts";
import { useMe } from "../../../api/session.ts";
import { Button } from "../../../ui/button.tsx";
import { CodeLine } from "../../../ui/copy.tsx";
import { useToaster } from "../../../ui/toasts.tsx";
import { useWorkspace } from "../use-workspace.tsx";

/** The editors that open a workspace by the extension Coder Remote, by the scheme of their addresses. */
const editors = [
  ["vscode", "VS Code"],
  ["vscode-insiders", "VS Code Insiders"],
  ["cursor", "Cursor"],
  ["windsurf", "Windsurf"],
  ["vscodium", "VSCodium"],
] as const;

type EditorScheme = (typeof editors)[number][0];

/** Commands and editors that reach an agent from the reader's machine. */
export function WaysToConnect({ agent }: { readonly agent: WorkspaceAgent }): ReactNode {
  const workspace = useWorkspace();
  const me = useMe();
  const connection = useQuery({ ...routeQuery(getConnection), staleTime: Infinity });
  const isOwn = workspace.owner_id === me.id;
  const short = `${isOwn ? "" : `${workspace.owner_name}/`}${workspace.name}`;
  const isOnly = hasOneAgent(workspace.latest_build.resources);
  const name = isOnly ? short : `${short}.${agent.name}`;
  const suffix = connection.data?.hostname_suffix ?? "slipway";
  const full = `${agent.name}.${workspace.name}.${workspace.owner_name}`;
  const host = `${isOwn && isOnly ? workspace.name : full}.${suffix}`;
  return (
    <div className="grid gap-x-8 gap-y-5 p-4 lg:grid-cols-2">
      <Way title="Once on your machine">
        <CodeLine>{`slipway login ${location.origin}`}</CodeLine>
      </Way>
      <Way title="A shell">
        <CodeLine>{`slipway ssh ${name}`}</CodeLine>
      </Way>
      <Way title="Your own SSH client, and every tool that uses it">
        <CodeLine>slipway config-ssh</CodeLine>
        <CodeLine>{`ssh ${host}`}</CodeLine>
      </Way>
      <Way title="A port on your machine">
        <CodeLine>{`slipway port-forward ${name} --tcp 8080`}</CodeLine>
      </Way>
      <Way title="Copy files">
        <CodeLine>{`slipway cp notes.txt ${name}:`}</CodeLine>
      </Way>
      <Way title="Find out why it is slow or does not connect">
        <CodeLine>{`slipway ping ${name}`}</CodeLine>
      </Way>
      <Way title="Editors with the extension Coder Remote">
        <div className="flex flex-wrap gap-2">
          {editors.map(([scheme, label]) => (
            <EditorButton key={scheme} agent={agent} scheme={scheme} size="small">
              {label}
            </EditorButton>
          ))}
        </div>
      </Way>
      <Way title="JetBrains">
        <p className="text-sm text-ink-soft">
          Install the plug-in Coder in JetBrains Toolbox, and log in to {location.origin}.
        </p>
      </Way>
    </div>
  );
}

function Way({
  title,
  children,
}: {
  readonly title: string;
  readonly children: ReactNode;
}): ReactNode {
  return (
    <section className="flex min-w-0 flex-col gap-2">
      <h3 className="text-sm font-medium">{title}</h3>
      {children}
    </section>
  );
}

function hasOneAgent(resources: readonly { readonly agents: readonly unknown[] }[]): boolean {
  return resources.flatMap(({ agents }) => agents).length === 1;
}

interface EditorButtonProps {
  readonly agent: WorkspaceAgent;
  readonly scheme: EditorScheme;
  readonly size?: "small" | "normal";
  readonly icon?: ReactNode;
  readonly children: ReactNode;
}

/** Opens an agent's directory in an editor of the reader's machine, which gets its own token. */
export function EditorButton({
  agent,
  scheme,
  size = "normal",
  icon,
  children,
}: EditorButtonProps): ReactNode {
  const workspace = useWorkspace();
  const toaster = useToaster();
  const open = useMutation({
    mutationFn: () => client.call(createKey, { params: { user: "me" } }),
    onSuccess: ({ key }) => {
      const folder = agent.expanded_directory;
      const place = {
        url: location.origin,
        owner: workspace.owner_name,
        workspace: workspace.name,
        agent: agent.name,
        ...(folder === undefined ? {} : { folder }),
      };
      location.assign(editorUrl(scheme, place, key));
    },
    onError: (error) => toaster.fail(`Could not open the editor: ${error.message}`),
  });
  return (
    <Button
      size={size}
      icon={icon}
      isBusy={open.isPending}
      disabledReason={agent.status === "connected" ? undefined : "Its agent is not connected"}
      onClick={() => open.mutate()}
    >
      {children}
    </Button>
  );
}
