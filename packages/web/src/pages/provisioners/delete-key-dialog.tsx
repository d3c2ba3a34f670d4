import type { ProvisionerDaemon, ProvisionerKey } from "@slipway/api/jobs/provisioner";
import {
  deleteProvisionerKey,
  listProvisionerDaemons,
  listProvisionerKeys,
} from "@slipway/api/organizations/provisioner-routes";
import { useQueryClient } from "@tanstack/react-query";
import type { ReactNode } from "react";

import { client } from "../../api/client.ts";
import { ensureGone } from "../../api/ensure.ts";
import { refresh } from "../../api/queries.ts";
import { ConfirmDialog } from "../../ui/dialog.tsx";
import { Notice } from "../../ui/notice.tsx";
import { useToaster } from "../../ui/toasts.tsx";
import { untrusted } from "../../ui/untrusted-text.tsx";

interface DeleteKeyDialogProps {
  readonly provisionerKey: ProvisionerKey;
  /** The connected provisioners that use the key. */
  readonly online: readonly ProvisionerDaemon[];
  readonly onClose: () => void;
}

/** Deletes a key, after it has said which provisioners that disconnects. */
export function DeleteKeyDialog({
  provisionerKey,
  online,
  onClose,
}: DeleteKeyDialogProps): ReactNode {
  const cache = useQueryClient();
  const toaster = useToaster();
  const name = untrusted(provisionerKey.name);
  const names = online.map((one) => untrusted(one.name)).join(", ");
  return (
    <ConfirmDialog
      title={`Delete ${name}?`}
      action="Delete key"
      isDangerous
      onConfirm={async () => {
        // Another key may have its name by now, but not its id.
        const params = { organization: "default", key: provisionerKey.id };
        await ensureGone(client.call(deleteProvisionerKey, { params }));
        await refresh(cache, listProvisionerKeys, listProvisionerDaemons);
        toaster.show(`${name} is deleted.`);
      }}
      onClose={onClose}
    >
      {online.length > 0 && (
        <Notice
          tone="warn"
          title={
            online.length === 1
              ? "1 provisioner is connected with this key."
              : `${online.length} provisioners are connected with this key.`
          }
        >
          {names}
        </Notice>
      )}
      <p>
        Provisioners with this key are disconnected at once and cannot connect again; their running
        jobs are interrupted. Later jobs with these tags wait for a provisioner with another key.
      </p>
    </ConfirmDialog>
  );
}
