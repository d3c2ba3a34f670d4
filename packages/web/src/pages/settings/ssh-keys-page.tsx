import { getGitKey, regenerateGitKey } from "@slipway/api/users/git-key-routes";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";

import { client } from "../../api/client.ts";
import { refresh, routeQuery } from "../../api/queries.ts";
import { FailureNotice } from "../../components/page-failure.tsx";
import { Button } from "../../ui/button.tsx";
import { CodeLine } from "../../ui/copy.tsx";
import { ConfirmDialog } from "../../ui/dialog.tsx";
import { Panel, Skeleton } from "../../ui/layout.tsx";
import { Time } from "../../ui/time.tsx";
import { useToaster } from "../../ui/toasts.tsx";

export function SshKeysPage(): ReactNode {
  const cache = useQueryClient();
  const toaster = useToaster();
  const key = useQuery(routeQuery(getGitKey, { params: { user: "me" } }));
  const [isAsking, setAsking] = useState(false);
  return (
    <Panel
      title="Git SSH key"
      actions={
        <Button size="small" onClick={() => setAsking(true)}>
          Regenerate…
        </Button>
      }
    >
      <div className="flex flex-col gap-3">
        <p className="max-w-2xl text-ink-soft">
          Git in your workspaces authenticates with this key. Add the public key to your account at
          GitHub, GitLab or another Git host; the private key is stored encrypted and given only to
          your workspaces.
        </p>
        {key.isError && <FailureNotice error={key.error} onRetry={() => void key.refetch()} />}
        {key.isPending && <Skeleton className="h-9 w-full" />}
        {key.data !== undefined && (
          <>
            <CodeLine>{key.data.public_key.trim()}</CodeLine>
            <p className="text-sm text-ink-soft">
              Generated <Time time={key.data.updated_at} />
            </p>
          </>
        )}
      </div>
      {isAsking && (
        <ConfirmDialog
          title="Regenerate the Git SSH key?"
          action="Regenerate key"
          isDangerous
          onConfirm={async () => {
            await client.call(regenerateGitKey, { params: { user: "me" } });
            await refresh(cache, getGitKey);
            toaster.show("New key generated.");
          }}
          onClose={() => setAsking(false)}
        >
          <p>
            The current key is deleted at once. Git hosts refuse your workspaces until you add the
            new public key there.
          </p>
        </ConfirmDialog>
      )}
    </Panel>
  );
}
