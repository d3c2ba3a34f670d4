import { Lock } from "lucide-react";
import type { ReactNode } from "react";

import { type Right, useRights } from "../api/session.ts";
import { EmptyState, PageHeader, Panel } from "../ui/layout.tsx";

interface RightGateProps {
  readonly right: Right;
  readonly title: string;
  /** The roles that have the right, as a person reads them. */
  readonly roles: string;
  readonly children: ReactNode;
}

/** Shows a page to those who have a right; others read which roles have it. The server checks requests independently. */
export function RightGate({ right, title, roles, children }: RightGateProps): ReactNode {
  const rights = useRights();
  if (rights[right]) return children;
  return (
    <>
      <PageHeader title={title} />
      <Panel>
        <EmptyState icon={<Lock size={28} />} title="You do not have access to this page">
          It is available to {roles}. An owner of this deployment can give you one of these roles.
        </EmptyState>
      </Panel>
    </>
  );
}
