import type { WorkspaceAgent } from "@slipway/api/agents/agent";
import { listFiles, writeFile } from "@slipway/api/agents/file-routes";
import { useQueryClient } from "@tanstack/react-query";
import { Upload } from "lucide-react";
import { type ReactNode, useRef, useState } from "react";

import { client } from "../../../api/client.ts";
import { refresh } from "../../../api/queries.ts";
import { sendFile } from "../../../api/send-file.ts";
import { Button } from "../../../ui/button.tsx";
import { childPath } from "./file-content.ts";

interface UploadState {
  readonly progress: number | undefined;
  readonly error: unknown;
  readonly send: (files: readonly File[]) => Promise<void>;
}

/** Uploads files into a directory, one after the other. */
export function useUpload({ id }: WorkspaceAgent, directory: string): UploadState {
  const cache = useQueryClient();
  const [progress, setProgress] = useState<number>();
  const [error, setError] = useState<unknown>();
  const send = async (files: readonly File[]): Promise<void> => {
    setError(undefined);
    try {
      for (const [index, file] of files.entries()) {
        const query = { path: childPath(directory, file.name) };
        const url = client.url(writeFile, { params: { agent: id }, query });
        // A file that is there is not replaced by one that happens to have its name.
        const headers = { "If-None-Match": "*" };
        const onProgress = (part: number): void => setProgress((index + part) / files.length);
        await sendFile(url, file, { headers, onProgress });
      }
    } catch (failure) {
      setError(failure);
    } finally {
      setProgress(undefined);
      await refresh(cache, listFiles);
    }
  };
  return { progress, error, send };
}

interface UploadButtonProps {
  readonly isBusy: boolean;
  readonly onFiles: (files: readonly File[]) => Promise<void>;
}

export function UploadButton({ isBusy, onFiles }: UploadButtonProps): ReactNode {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <input
        ref={input}
        type="file"
        multiple
        aria-label="Files to upload"
        className="sr-only"
        onChange={({ target }) => {
          const files = [...(target.files ?? [])];
          // Without a value the same files can be chosen again.
          target.value = "";
          if (files.length > 0) void onFiles(files);
        }}
      />
      <Button
        size="small"
        icon={<Upload aria-hidden size={14} />}
        isBusy={isBusy}
        onClick={() => input.current?.click()}
      >
        Upload
      </Button>
    </>
  );
}
