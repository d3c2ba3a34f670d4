import type { ProvisionerDaemon, ProvisionerKey } from "@slipway/api/jobs/provisioner";
import { Trash2 } from "lucide-react";
import { type ReactNode, useState } from "react";

import { IconButton } from "../../ui/button.tsx";
import { ActionsCell, Cell, Row } from "../../ui/table.tsx";
import { Time } from "../../ui/time.tsx";
import { untrusted, UntrustedText } from "../../ui/untrusted-text.tsx";
import { DeleteKeyDialog } from "./delete-key-dialog.tsx";
import { TagBadges } from "./tag-badges.tsx";

interface KeyRowProps {
  readonly provisionerKey: ProvisionerKey;
  /** Those that use the key, connected or not. */
  readonly provisioners: readonly ProvisionerDaemon[];
}

export function KeyRow({ provisionerKey, provisioners }: KeyRowProps): ReactNode {
  const { name, tags, created_at: created } = provisionerKey;
  const [isDeleting, setDeleting] = useState(false);
  const online = provisioners.filter(({ status }) => status !== "offline");
  return (
    <Row>
      <Cell isText className="font-medium">
        <UntrustedText>{name}</UntrustedText>
      </Cell>
      <Cell isText>
        <TagBadges tags={tags} />
      </Cell>
      <Cell>{online.length === 0 ? "None online" : `${online.length} online`}</Cell>
      <Cell>
        <Time time={created} />
      </Cell>
      <ActionsCell>
        <IconButton
          size="small"
          label={`Delete ${untrusted(name)}`}
          icon={<Trash2 aria-hidden size={14} />}
          onClick={() => setDeleting(true)}
        />
        {isDeleting && (
          <DeleteKeyDialog
            provisionerKey={provisionerKey}
            online={online}
            onClose={() => setDeleting(false)}
          />
        )}
      </ActionsCell>
    </Row>
  );
}
