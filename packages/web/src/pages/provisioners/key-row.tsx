import type { ProvisionerKey } from "@slipway/api/jobs/provisioner";
import { Trash2 } from "lucide-react";
import type { ReactNode } from "react";

import { IconButton } from "../../ui/button.tsx";
import { ActionsCell, Cell, FoldedFacts, Row } from "../../ui/table.tsx";
import { Time } from "../../ui/time.tsx";
import { untrusted, UntrustedText } from "../../ui/untrusted-text.tsx";
import { TagBadges } from "./tag-badges.tsx";

interface KeyRowProps {
  readonly provisionerKey: ProvisionerKey;
  /** The number of connected provisioners that use the key. */
  readonly online: number;
  readonly onDelete: () => void;
}

export function KeyRow({ provisionerKey, online, onDelete }: KeyRowProps): ReactNode {
  const { name, tags, created_at: created } = provisionerKey;
  const used = online === 0 ? "None online" : `${online} online`;
  return (
    <Row>
      <Cell isName className="font-medium">
        <UntrustedText>{name}</UntrustedText>
        <FoldedFacts>
          <span>{used}</span>
          <span>
            created <Time time={created} />
          </span>
        </FoldedFacts>
      </Cell>
      <Cell isName>
        <TagBadges tags={tags} />
      </Cell>
      <Cell className="max-sm:hidden">{used}</Cell>
      <Cell className="max-sm:hidden">
        <Time time={created} />
      </Cell>
      <ActionsCell>
        <IconButton
          size="small"
          label={`Delete ${untrusted(name)}`}
          icon={<Trash2 aria-hidden size={14} />}
          onClick={onDelete}
        />
      </ActionsCell>
    </Row>
  );
}
