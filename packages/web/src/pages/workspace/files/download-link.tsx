import { readFile } from "@slipway/api/agents/file-routes";
import { Download } from "lucide-react";
import type { ReactNode } from "react";

import { client } from "../../../api/client.ts";
import { untrusted } from "../../../ui/untrusted-text.tsx";

interface DownloadLinkProps {
  readonly agentId: string;
  readonly path: string;
}

/** A link in the form of an icon that downloads a file. */
export function DownloadLink({ agentId, path }: DownloadLinkProps): ReactNode {
  const name = untrusted(path.slice(path.lastIndexOf("/") + 1));
  const label = `Download ${name}`;
  return (
    <a
      href={client.url(readFile, { params: { agent: agentId }, query: { path } })}
      download={name}
      aria-label={label}
      title={label}
      className="inline-flex size-7 items-center justify-center rounded-md text-ink-soft hover:bg-hover hover:text-ink pointer-coarse:size-10"
    >
      <Download aria-hidden size={14} />
    </a>
  );
}
