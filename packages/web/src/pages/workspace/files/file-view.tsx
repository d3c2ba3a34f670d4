import { listFiles, readFile, statFile, writeFile } from "@slipway/api/agents/file-routes";
import { ApiError } from "@slipway/sdk/http";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { File, X } from "lucide-react";
import { type ReactNode, useState } from "react";

import { client } from "../../../api/client.ts";
import { refresh } from "../../../api/queries.ts";
import { sendFile } from "../../../api/send-file.ts";
import { FailureNotice } from "../../../components/page-failure.tsx";
import { UnsavedDialog } from "../../../forms/unsaved-dialog.tsx";
import { Button, IconButton } from "../../../ui/button.tsx";
import { bytesText } from "../../../ui/bytes-text.ts";
import { useIsMounted } from "../../../ui/dialog.tsx";
import { errorText } from "../../../ui/error-text.ts";
import { TextArea } from "../../../ui/field.tsx";
import { EmptyState, Panel, Skeleton } from "../../../ui/layout.tsx";
import { Notice } from "../../../ui/notice.tsx";
import { useToaster } from "../../../ui/toasts.tsx";
import { untrusted, UntrustedText } from "../../../ui/untrusted-text.tsx";
import { DownloadLink } from "./download-link.tsx";
import {
  type EditableText,
  maxShownBytes,
  savedText,
  type ShownContent,
  shownContent,
} from "./file-content.ts";

const route = getRouteApi("/member/framed/@{$owner}/$workspace/files");

interface FilePlace {
  readonly agentId: string;
  readonly path: string;
}

interface FileViewProps extends FilePlace {
  /** False while the agent cannot be asked; a file that was opened before stays, with what was typed. */
  readonly isConnected: boolean;
}

/** A file as it was read: its content and the mark of that version. */
interface OpenedFile {
  readonly etag: string;
  readonly content: ShownContent | { readonly kind: "large"; readonly size: number };
}

/** One file: a text to edit, a picture, or what is known of it. */
export function FileView({ agentId, path, isConnected }: FileViewProps): ReactNode {
  const navigate = route.useNavigate();
  const file = useQuery({
    queryKey: keyOf({ agentId, path }),
    queryFn: ({ signal }) => openFile({ agentId, path }, signal),
    // What somebody types must not be replaced because the window was looked at again.
    staleTime: Infinity,
    // A file that is opened again is read again.
    gcTime: 0,
    enabled: isConnected,
  });
  const close = (): void => {
    void navigate({
      search: ({ agent, path: directory }) => ({
        ...(agent === undefined ? {} : { agent }),
        ...(directory === undefined ? {} : { path: directory }),
      }),
    });
  };
  if (!isConnected && file.data === undefined) return null;
  return (
    <Panel
      isFlush
      title={
        <span className="font-mono text-sm wrap-anywhere">
          <UntrustedText>{path}</UntrustedText>
        </span>
      }
      actions={
        <div className="flex items-center gap-1">
          {file.data !== undefined && <DownloadLink agentId={agentId} path={path} />}
          <IconButton label="Close file" icon={<X aria-hidden size={16} />} onClick={close} />
        </div>
      }
    >
      {file.isError && (
        <div className="p-4">
          <FailureNotice
            error={file.error}
            onRetry={() => void file.refetch()}
            missing={
              <EmptyState icon={<File size={28} />} title="There is no such file">
                It may have been moved or deleted in the workspace.
              </EmptyState>
            }
          />
        </div>
      )}
      {file.isPending && <Skeleton className="m-4 h-32" />}
      {file.data !== undefined && (
        <Content
          key={file.data.etag}
          agentId={agentId}
          path={path}
          file={file.data}
          onReload={() => file.refetch()}
        />
      )}
    </Panel>
  );
}

function keyOf({ agentId, path }: FilePlace): readonly string[] {
  return [readFile.path, agentId, path];
}

async function openFile({ agentId, path }: FilePlace, signal: AbortSignal): Promise<OpenedFile> {
  const params = { agent: agentId };
  const { size, etag } = await client.call(statFile, { params, query: { path }, signal });
  if (size > maxShownBytes) return { etag, content: { kind: "large", size } };
  const query = { path, limit: String(maxShownBytes) };
  const bytes = await client.download(readFile, { params, query, signal });
  return { etag, content: shownContent(path, bytes) };
}

interface ContentProps extends FilePlace {
  readonly file: OpenedFile;
  readonly onReload: () => Promise<unknown>;
}

function Content({ file, ...rest }: ContentProps): ReactNode {
  const { content } = file;
  switch (content.kind) {
    case "text":
      return <Editor {...rest} etag={file.etag} content={content} />;
    case "image":
      return (
        <div className="p-4">
          <img src={content.address} alt={untrusted(rest.path)} className="max-h-96 max-w-full" />
        </div>
      );
    case "binary":
      return <p className="p-4 text-ink-soft">This is not a text file. Download it to open it.</p>;
    case "large":
      return (
        <p className="p-4 text-ink-soft">
          With {bytesText(content.size)} it is too large to show. Download it to open it.
        </p>
      );
  }
}

interface EditorProps extends FilePlace {
  readonly etag: string;
  readonly content: EditableText;
  readonly onReload: () => Promise<unknown>;
}

function Editor({ agentId, path, etag, content, onReload }: EditorProps): ReactNode {
  const { text, lineBreak } = content;
  const [value, setValue] = useState(text);
  const [saved, setSaved] = useState(text);
  const cache = useQueryClient();
  const toaster = useToaster();
  const isOpen = useIsMounted();
  const save = useMutation({
    mutationFn: (force: boolean) => {
      const url = client.url(writeFile, { params: { agent: agentId }, query: { path } });
      const headers = force ? {} : { "If-Match": etag };
      return sendFile(url, new Blob([savedText(value, lineBreak)]), { headers });
    },
    onSuccess: async () => {
      setSaved(value);
      toaster.show("Saved.");
      // Not by `onReload`: a file that has been closed is not read now, and its old content is not shown again.
      const reload = cache.invalidateQueries({ queryKey: keyOf({ agentId, path }), exact: true });
      await Promise.all([reload, refresh(cache, listFiles)]);
    },
    // The notice below is not seen once the file is closed.
    onError: (error) => {
      if (!isOpen.current) toaster.fail(`${untrusted(path)} was not saved: ${errorText(error)}`);
    },
  });
  const hasConflict = save.error instanceof ApiError && save.error.status === 412;
  return (
    <div className="flex flex-col gap-3 p-4">
      <UnsavedDialog isDirty={value !== saved} isSaving={save.isPending}>
        Your changes to this file will be lost.
      </UnsavedDialog>
      {hasConflict && (
        <Notice
          tone="warn"
          title="The file has changed since you opened it."
          action={
            <span className="flex gap-2">
              <Button size="small" onClick={() => void onReload()}>
                Discard mine
              </Button>
              <Button size="small" onClick={() => save.mutate(true)}>
                Overwrite
              </Button>
            </span>
          }
        />
      )}
      {save.isError && !hasConflict && <Notice tone="bad" title={errorText(save.error)} />}
      <TextArea
        aria-label={untrusted(path)}
        rows={18}
        spellCheck={false}
        // The file is read again once it is saved, in place of what is typed meanwhile.
        readOnly={save.isPending}
        value={value}
        onValue={setValue}
      />
      <div>
        <Button
          isBusy={save.isPending}
          disabledReason={value === saved ? "Nothing has changed" : undefined}
          onClick={() => save.mutate(false)}
        >
          Save
        </Button>
      </div>
    </div>
  );
}
