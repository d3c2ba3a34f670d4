import { zeroTimestamp } from "@slipway/api/contract/scalars";
import type { User } from "@slipway/api/users/user";
import { Ellipsis } from "lucide-react";
import { type ReactNode, useState } from "react";

import { useMe, useRights } from "../../api/session.ts";
import { IconButton } from "../../ui/button.tsx";
import { Menu, type MenuEntry } from "../../ui/menu.tsx";
import { Badge, Status } from "../../ui/status.tsx";
import { ActionsCell, Cell, FoldedFacts, Row } from "../../ui/table.tsx";
import { Time } from "../../ui/time.tsx";
import { untrusted, UntrustedText } from "../../ui/untrusted-text.tsx";
import { RolesDialog } from "./roles-dialog.tsx";
import { DeleteDialog, PasswordDialog, StatusDialog } from "./user-dialogs.tsx";

const statuses = {
  active: { tone: "good", label: "Active" },
  dormant: { tone: "neutral", label: "Has never logged in" },
  suspended: { tone: "warn", label: "Suspended" },
} as const;

const logIns: Readonly<Record<User["login_type"], string>> = {
  "": "Password",
  password: "Password",
  github: "GitHub",
  oidc: "OpenID provider",
  token: "Tokens only",
  none: "None",
};

type Action = "roles" | "password" | "status" | "delete";

const dialogs = {
  roles: RolesDialog,
  password: PasswordDialog,
  status: StatusDialog,
  delete: DeleteDialog,
} as const;

export function UserRow({ user }: { readonly user: User }): ReactNode {
  const [action, setAction] = useState<Action>();
  const Opened = action === undefined ? undefined : dialogs[action];
  const { tone, label } = statuses[user.status];
  const hasLoggedIn = user.last_seen_at !== zeroTimestamp;
  const entries = useEntries(user, setAction);
  return (
    <Row>
      <Cell isText>
        <p className="font-medium">
          <UntrustedText>{user.username}</UntrustedText>
        </p>
        <p className="text-ink-soft">
          {user.name !== undefined && user.name !== "" && (
            <>
              <UntrustedText>{user.name}</UntrustedText> ·{" "}
            </>
          )}
          <UntrustedText>{user.email}</UntrustedText>
        </p>
        <FoldedFacts>
          <Status tone={tone}>{label}</Status>
          <span>{logIns[user.login_type]}</span>
          {hasLoggedIn && (
            <span>
              seen <Time time={user.last_seen_at} />
            </span>
          )}
        </FoldedFacts>
      </Cell>
      <Cell>
        <div className="flex flex-wrap gap-1">
          {user.roles.length === 0 && <span className="text-ink-soft">Member</span>}
          {user.roles.map(({ name, display_name }) => (
            <Badge key={name} tone={name === "owner" ? "active" : "neutral"}>
              {untrusted(display_name || name)}
            </Badge>
          ))}
        </div>
      </Cell>
      <Cell className="max-sm:hidden">
        <Status tone={tone}>{label}</Status>
      </Cell>
      <Cell className="max-sm:hidden">{logIns[user.login_type]}</Cell>
      <Cell className="max-sm:hidden">
        {hasLoggedIn ? <Time time={user.last_seen_at} /> : "Never"}
      </Cell>
      <ActionsCell>
        <Menu
          trigger={
            <IconButton
              size="small"
              label={`Actions for ${untrusted(user.username)}`}
              icon={<Ellipsis aria-hidden size={16} />}
            />
          }
          entries={() => entries}
        />
        {Opened !== undefined && <Opened user={user} onClose={() => setAction(undefined)} />}
      </ActionsCell>
    </Row>
  );
}

/** Returns the actions on a user, those that cannot be done now with their reason. */
function useEntries(user: User, start: (action: Action) => void): readonly MenuEntry[] {
  const me = useMe();
  const rights = useRights();
  const isMe = user.id === me.id;
  const isForOwners = !rights.updateDeployment && user.roles.length > 0;
  const mayNotChange = rights.createUsers
    ? isForOwners
      ? "Only owners can change users who have a role"
      : undefined
    : "Only owners and user admins can change users";
  const own = isMe ? "You cannot do this to yourself" : undefined;
  return [
    {
      label: "Change roles…",
      onSelect: () => start("roles"),
      disabledReason: rights.updateDeployment ? own : "Only owners can assign roles",
    },
    {
      label: "Reset password…",
      onSelect: () => start("password"),
      disabledReason:
        mayNotChange ??
        (isMe ? "Change your own password in your account" : undefined) ??
        (user.login_type === "password" ? undefined : "The user has no password here"),
    },
    {
      label: user.status === "suspended" ? "Reactivate…" : "Suspend…",
      onSelect: () => start("status"),
      disabledReason: mayNotChange ?? own,
    },
    {
      label: "Delete…",
      isDangerous: true,
      startsGroup: true,
      onSelect: () => start("delete"),
      disabledReason: mayNotChange ?? own,
    },
  ];
}
