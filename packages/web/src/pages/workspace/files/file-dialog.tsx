import {
  type FileEntry,
  listFiles,
  makeDirectory,
  moveFile,
  removeFile,
} from "@slipway/api/agents/file-routes";
import { useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";

import { client } from "../../../api/client.ts";
import { refresh } from "../../../api/queries.ts";
import { ConfirmDialog } from "../../../ui/dialog.tsx";
import { Field, TextInput } from "../../../ui/field.tsx";
import { untrusted } from "../../../ui/untrusted-text.tsx";
import { childPath } from "./file-content.ts";

/** A change of files that is asked about first. */
export type FileAction =
  | { readonly kind: "folder"; readonly directory: string }
  | { readonly kind: "rename" | "delete"; readonly entry: FileEntry };

interface FileDialogProps {
  readonly action: FileAction;
  readonly agentId: string;
  readonly onClose: () => void;
}

/** Asks for a name or for consent, and changes a file. */
export function FileDialog({ action, agentId, onClose }: FileDialogProps): ReactNode {
  const cache = useQueryClient();
  const [name, setName] = useState(action.kind === "rename" ? action.entry.name : "");
  const params = { agent: agentId };
  const confirm = async (): Promise<void> => {
    if (action.kind === "folder") {
      const path = childPath(action.directory, name);
      await client.call(makeDirectory, { params, body: { path } });
    } else if (action.kind === "rename") {
      const { path: from } = action.entry;
      const to = childPath(from.slice(0, from.lastIndexOf("/") + 1), name);
      await client.call(moveFile, { params, body: { from, to } });
    } else {
      const { path, type } = action.entry;
      const recursive = type === "directory";
      await client.call(removeFile, { params, body: { path, recursive } });
    }
    await refresh(cache, listFiles);
  };
  if (action.kind === "delete") {
    const isFolder = action.entry.type === "directory";
    return (
      <ConfirmDialog
        title={`Delete ${untrusted(action.entry.name)}?`}
        action="Delete"
        isDangerous
        onConfirm={confirm}
        onClose={onClose}
      >
        <p>
          {isFolder ? "The folder and everything in it are deleted" : "It is deleted"} for good.
        </p>
      </ConfirmDialog>
    );
  }
  const isNew = action.kind === "folder";
  const isName = name !== "" && !name.includes("/");
  return (
    <ConfirmDialog
      title={isNew ? "New folder" : `Rename ${untrusted(action.entry.name)}`}
      action={isNew ? "Create" : "Rename"}
      disabledReason={isName ? undefined : "Enter a name without a slash"}
      onConfirm={confirm}
      onClose={onClose}
    >
      <Field label="Name" isRequired>
        {(ids) => <TextInput {...ids} autoComplete="off" value={name} onValue={setName} />}
      </Field>
    </ConfirmDialog>
  );
}
