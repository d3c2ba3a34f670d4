import type { WorkspaceAgent } from "@slipway/api/agents/agent";
import { type FileEntry, listFiles } from "@slipway/api/agents/file-routes";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { File, Folder, FolderPlus, Pencil, Trash2 } from "lucide-react";
import { type DragEvent, type ReactNode, useState } from "react";

import { routeQuery } from "../../../api/queries.ts";
import { FailureNotice } from "../../../components/page-failure.tsx";
import { Button, buttonClasses, IconButton } from "../../../ui/button.tsx";
import { bytesText } from "../../../ui/bytes-text.ts";
import { errorText } from "../../../ui/error-text.ts";
import { EmptyState, Panel, Skeleton } from "../../../ui/layout.tsx";
import { Notice } from "../../../ui/notice.tsx";
import { Cell, HeaderCell, HeaderRow, Row, Table } from "../../../ui/table.tsx";
import { Time } from "../../../ui/time.tsx";
import { untrusted, UntrustedText } from "../../../ui/untrusted-text.tsx";
import { useChosenAgent } from "../use-chosen-agent.ts";
import { useWorkspaceParams } from "../use-workspace.tsx";
import { DownloadLink } from "./download-link.tsx";
import { pathParts } from "./file-content.ts";
import { type FileAction, FileDialog } from "./file-dialog.tsx";
import { FileView } from "./file-view.tsx";
import { UploadButton, useUpload } from "./upload.tsx";

const route = getRouteApi("/member/framed/@{$owner}/$workspace/files");

/** The files of a workspace. */
export function FilesPage(): ReactNode {
  const { agent: name, file } = route.useSearch();
  const { agent } = useChosenAgent(name);
  const isConnected = agent?.status === "connected";
  return (
    <>
      {agent !== undefined && file !== undefined && (
        <FileView key={file} agentId={agent.id} path={file} isConnected={isConnected} />
      )}
      {isConnected ? (
        <Browser agent={agent} />
      ) : (
        <Panel>
          <EmptyState
            icon={<Folder size={28} />}
            title="Files are available once the agent is connected"
          >
            Start the workspace, and wait until its agent has connected.
          </EmptyState>
        </Panel>
      )}
    </>
  );
}

function Browser({ agent }: { readonly agent: WorkspaceAgent }): ReactNode {
  const { path = agent.expanded_directory ?? "~" } = route.useSearch();
  const params = { agent: agent.id };
  const list = useQuery(routeQuery(listFiles, { params, query: { path } }));
  const directory = list.data?.path ?? path;
  const upload = useUpload(agent, directory);
  const [asked, setAsked] = useState<FileAction>();
  const drop = (event: DragEvent): void => {
    event.preventDefault();
    void upload.send([...event.dataTransfer.files]);
  };
  return (
    <>
      <div onDragOver={(event) => event.preventDefault()} onDrop={drop}>
        <Panel
          isFlush
          title={<Breadcrumb path={directory} />}
          actions={
            <div className="flex items-center gap-2">
              <Button
                size="small"
                icon={<FolderPlus aria-hidden size={14} />}
                onClick={() => setAsked({ kind: "folder", directory })}
              >
                New folder
              </Button>
              <UploadButton isBusy={upload.progress !== undefined} onFiles={upload.send} />
            </div>
          }
        >
          {upload.progress !== undefined && (
            <div className="px-4 py-2">
              <progress
                aria-label="Upload"
                value={upload.progress}
                className="w-full accent-accent"
              />
            </div>
          )}
          {upload.error !== undefined && (
            <div className="p-4">
              <Notice tone="bad" title={errorText(upload.error)} />
            </div>
          )}
          {list.isError && (
            <div className="p-4">
              <FailureNotice
                error={list.error}
                onRetry={() => void list.refetch()}
                missing={<MissingFolder />}
              />
            </div>
          )}
          {list.isPending && <Skeleton className="m-4 h-32" />}
          {list.data !== undefined && (
            <Entries agent={agent} entries={list.data.entries} onAction={setAsked} />
          )}
          {list.data?.next !== undefined && (
            <p className="border-t border-line px-4 py-3 text-sm text-ink-soft">
              Only the first {list.data.entries.length} entries are shown.
            </p>
          )}
        </Panel>
      </div>
      {asked !== undefined && (
        <FileDialog action={asked} agentId={agent.id} onClose={() => setAsked(undefined)} />
      )}
    </>
  );
}

function Breadcrumb({ path }: { readonly path: string }): ReactNode {
  const params = useWorkspaceParams();
  return (
    <nav aria-label="Path" className="flex flex-wrap items-center gap-1 font-mono text-sm">
      {pathParts(path).map((part, index) => (
        <span key={part.path} className="flex items-center gap-1">
          {index > 1 && <span aria-hidden>/</span>}
          <Link
            to="/@{$owner}/$workspace/files"
            params={params}
            search={({ agent }: { agent?: string }) => withAgent(agent, { path: part.path })}
            className="hover:underline"
          >
            <UntrustedText>{part.name}</UntrustedText>
          </Link>
        </span>
      ))}
    </nav>
  );
}

function MissingFolder(): ReactNode {
  const params = useWorkspaceParams();
  return (
    <EmptyState
      icon={<Folder size={28} />}
      title="There is no such folder"
      action={
        <Link
          to="/@{$owner}/$workspace/files"
          params={params}
          search={({ agent }: { agent?: string }) => withAgent(agent, {})}
          className={buttonClasses()}
        >
          Go to the first folder
        </Link>
      }
    >
      It may have been moved or deleted in the workspace.
    </EmptyState>
  );
}

function withAgent<T extends object>(agent: string | undefined, rest: T): T & { agent?: string } {
  return agent === undefined ? rest : { ...rest, agent };
}

interface EntriesProps {
  readonly agent: WorkspaceAgent;
  readonly entries: readonly FileEntry[];
  readonly onAction: (action: FileAction) => void;
}

function Entries({ agent, entries, onAction }: EntriesProps): ReactNode {
  if (entries.length === 0) {
    return (
      <EmptyState icon={<Folder size={28} />} title="This folder is empty">
        Drop files here to upload them.
      </EmptyState>
    );
  }
  const shown = entries.toSorted((a, b) => Number(isFolder(b)) - Number(isFolder(a)));
  return (
    <Table label="Files">
      <HeaderRow>
        <HeaderCell>Name</HeaderCell>
        <HeaderCell className="max-sm:hidden">Size</HeaderCell>
        <HeaderCell className="max-sm:hidden">Changed</HeaderCell>
        <HeaderCell>
          <span className="sr-only">Actions</span>
        </HeaderCell>
      </HeaderRow>
      <tbody>
        {shown.map((entry) => (
          <EntryRow key={entry.path} agent={agent} entry={entry} onAction={onAction} />
        ))}
      </tbody>
    </Table>
  );
}

function isFolder({ type }: FileEntry): boolean {
  return type === "directory";
}

interface EntryRowProps extends Pick<EntriesProps, "agent" | "onAction"> {
  readonly entry: FileEntry;
}

function EntryRow({ agent, entry, onAction }: EntryRowProps): ReactNode {
  const params = useWorkspaceParams();
  const { path, name } = entry;
  const Icon = isFolder(entry) ? Folder : File;
  return (
    <Row>
      <Cell isText>
        <div className="flex flex-wrap items-center gap-x-2">
          <Link
            to="/@{$owner}/$workspace/files"
            params={params}
            search={(last: { agent?: string; path?: string }) =>
              isFolder(entry)
                ? withAgent(last.agent, { path })
                : withAgent(last.agent, {
                    ...(last.path === undefined ? {} : { path: last.path }),
                    file: path,
                  })
            }
            className="inline-flex items-center gap-2 hover:underline"
          >
            <Icon aria-hidden size={15} className="shrink-0 text-ink-faint" />
            <UntrustedText>{name}</UntrustedText>
          </Link>
          {entry.link_target !== undefined && (
            <span className="text-ink-soft">
              {"→ "}
              <UntrustedText>{entry.link_target}</UntrustedText>
            </span>
          )}
        </div>
      </Cell>
      <Cell className="max-sm:hidden">{isFolder(entry) ? "–" : bytesText(entry.size)}</Cell>
      <Cell className="max-sm:hidden">
        <Time time={entry.modified_at} />
      </Cell>
      <Cell>
        <div className="flex justify-end gap-1">
          {!isFolder(entry) && <DownloadLink agentId={agent.id} path={path} />}
          <IconButton
            size="small"
            label={`Rename ${untrusted(name)}`}
            icon={<Pencil aria-hidden size={14} />}
            onClick={() => onAction({ kind: "rename", entry })}
          />
          <IconButton
            size="small"
            label={`Delete ${untrusted(name)}`}
            icon={<Trash2 aria-hidden size={14} />}
            onClick={() => onAction({ kind: "delete", entry })}
          />
        </div>
      </Cell>
    </Row>
  );
}
