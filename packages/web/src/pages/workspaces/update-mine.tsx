import { listWorkspaces } from "@slipway/api/workspaces/routes";
import { useQuery } from "@tanstack/react-query";
import { RefreshCw } from "lucide-react";
import { lazy, type ReactNode, Suspense, useState } from "react";

import { routeQuery } from "../../api/queries.ts";
import { Button } from "../../ui/button.tsx";
import { pageSize } from "./list-search.ts";

const ManyDialog = lazy(async () => ({ default: (await import("./many-actions.tsx")).ManyDialog }));

/** Updates one's own workspaces that are outdated; nothing is shown if none is. */
export function UpdateMine(): ReactNode {
  const [isAsked, setAsked] = useState(false);
  const outdated = useQuery(
    routeQuery(listWorkspaces, {
      query: { q: "owner:me outdated:true", limit: String(pageSize) },
    }),
  );
  const { workspaces = [], count = 0 } = outdated.data ?? {};
  if (count === 0) return null;
  return (
    <>
      <Button icon={<RefreshCw aria-hidden size={14} />} onClick={() => setAsked(true)}>
        Update all mine ({workspaces.length})
      </Button>
      {isAsked && (
        <Suspense>
          <ManyDialog
            action="update"
            workspaces={workspaces}
            onClose={() => setAsked(false)}
            onDone={() => setAsked(false)}
          />
        </Suspense>
      )}
    </>
  );
}
