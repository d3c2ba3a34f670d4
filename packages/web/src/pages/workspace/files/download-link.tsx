import { readFile } from "@slipway/api/agents/file-routes";
import { Download } from "lucide-react";
import type { ReactNode } from "react";

import { client } from "../../../api/client.ts";
import { buttonClasses } from "../../../ui/button.tsx";
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
      className={buttonClasses("ghost", "small", "square")}
    >
      <Download aria-hidden size={14} />
    </a>
  );
}
