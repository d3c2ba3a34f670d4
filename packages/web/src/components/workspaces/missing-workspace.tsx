import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";

import { buttonClasses } from "../../ui/button.tsx";
import { untrusted } from "../../ui/untrusted-text.tsx";
import { Missing } from "../missing.tsx";

interface MissingWorkspaceProps {
  readonly owner: string;
  readonly name: string;
}

/** The page of a workspace that does not exist, or that the reader may not see. */
export function MissingWorkspace({ owner, name }: MissingWorkspaceProps): ReactNode {
  return (
    <Missing
      isPage
      title={`There is no workspace ${untrusted(owner)}/${untrusted(name)}`}
      action={
        <Link to="/workspaces" className={buttonClasses("primary")}>
          Go to your workspaces
        </Link>
      }
    >
      It may have been renamed or deleted, or you may not have access to it. If someone sent you
      this link, ask them for the new one.
    </Missing>
  );
}
