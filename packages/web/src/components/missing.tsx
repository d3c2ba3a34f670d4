import { Compass } from "lucide-react";
import type { ReactNode } from "react";

import { EmptyState, Panel } from "../ui/layout.tsx";

interface MissingProps {
  readonly title: string;
  /** Links to where the reader can go on. */
  readonly action?: ReactNode;
  /** The likely reasons (default: those of anything with a name). */
  readonly children?: ReactNode;
  /** True if nothing else is on the page, which then needs a heading. */
  readonly isPage?: boolean;
}

/** Stands where something would be that does not exist, or that the reader may not see. */
export function Missing({ title, action, children, isPage = false }: MissingProps): ReactNode {
  return (
    <>
      {isPage && <h1 className="sr-only">Not found</h1>}
      <Panel>
        <EmptyState icon={<Compass size={28} />} title={title} action={action}>
          {children ?? "It may have been renamed or deleted, or you may not have access to it."}
        </EmptyState>
      </Panel>
    </>
  );
}
