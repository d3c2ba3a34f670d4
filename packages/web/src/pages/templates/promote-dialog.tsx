import { getTemplateByName, listTemplates } from "@slipway/api/templates/routes";
import type { TemplateVersion } from "@slipway/api/templates/template-version";
import { listTemplateVersions, updateActiveVersion } from "@slipway/api/templates/version-routes";
import { useQueryClient } from "@tanstack/react-query";
import type { ReactNode } from "react";

import { client } from "../../api/client.ts";
import { refresh } from "../../api/queries.ts";
import { ConfirmDialog } from "../../ui/dialog.tsx";
import { useToaster } from "../../ui/toasts.tsx";
import { untrusted } from "../../ui/untrusted-text.tsx";
import { useTemplate } from "./use-template.ts";

/** Makes a version the one that new workspaces are made from. */
export function PromoteDialog({
  version,
  onClose,
}: {
  readonly version: TemplateVersion;
  readonly onClose: () => void;
}): ReactNode {
  const template = useTemplate();
  const cache = useQueryClient();
  const toaster = useToaster();
  const name = untrusted(version.name);
  return (
    <ConfirmDialog
      title={`Promote ${name}?`}
      action="Promote version"
      onConfirm={async () => {
        await client.call(updateActiveVersion, {
          params: { template: template.id },
          body: { id: version.id },
        });
        await refresh(cache, getTemplateByName, listTemplates, listTemplateVersions);
        toaster.show(`${name} is the active version.`);
      }}
      onClose={onClose}
    >
      <p>
        New workspaces are made from it, pools are replaced, and owners of existing workspaces see
        that an update is available. Running workspaces are not affected.
      </p>
    </ConfirmDialog>
  );
}
